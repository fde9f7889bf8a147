"""Nothing is lost, nothing is done twice: seeded runs under faults and kills, each held against the sandbox.

- `scenario`: a seed -> servers, actions, faults, kills
- `world`: the sandbox, the wire to it and the time they share; lives of the engine that can end at any step
- `run`: one scenario carried out, in virtual time
- `verdict`: what the journal says against what the sandbox knows
- `processes`: the same with real processes, over HTTP, killed with SIGKILL

`python -m tests.campaign --runs 500 --seed 1`
"""
