"""Seeded runs under faults and kills: no server is lost, nothing is sent twice, as the sandbox records it.

- `scenario`: a seed -> servers, actions, faults, kills
- `world`: the sandbox, the transport to it and their virtual time; engines that can be killed at any step
- `run`: carries one scenario out, in virtual time
- `verdict`: compares the journal with the records of the sandbox
- `processes`: the same with real processes, over HTTP, killed with SIGKILL or frozen

`python -m tests.campaign --runs 500 --seed 1`
"""
