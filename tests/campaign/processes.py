"""The campaign with nothing simulated: `pitstop start` against a sandbox over HTTP, killed with SIGKILL.

Fewer runs than in virtual time, because these take real seconds: the sandbox's jobs are hurried on, and so is
the time that the program gives servers to settle.
"""

import random
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.campaign.hurried import TIME_SCALE
from tests.campaign.run import Result
from tests.campaign.scenario import HIGHEST_RATES, Scenario, draw
from tests.campaign.verdict import judge
from tests.terminal.harness import clean_environment
from tests.terminal.service import Service
from tui.engine.journal import Journal
from tui.model.operation import Action, Operation

HURRIED = (sys.executable, "-m", "tests.campaign.hurried")
REPOSITORY = Path(__file__).parents[2]

VERIFY_LIMIT = 20.0
"""Seconds a server may take to show its new state: beyond any job and any lag at this scale."""

PATIENCE = 240.0
"""Seconds that one life may take."""

KILLED_AFTER = (0.2, 4.0)
"""Seconds that a process lives: its start, its login, its first POSTs, its tracking."""


def run_seed(seed: int) -> Result:
    """Carry out the run of a seed, with a home directory that is gone afterwards."""
    with TemporaryDirectory() as directory:
        return carry_out(seed, Path(directory))


def carry_out(seed: int, directory: Path) -> Result:
    """One run of a seed: start maintenance on some servers, die some times, resume until all is done."""
    scenario = _hurried(seed)
    rng = random.Random(f"processes {seed}")
    faults = [f"--fault={name}={rate}" for name, rate in scenario.faults.items()]
    options = (f"--servers={scenario.servers}", f"--seed={seed}", f"--time-scale={TIME_SCALE}", *faults)
    with Service(*options) as service:
        before = service.truth()
        ids = rng.sample(sorted(before["servers"]), max(2, int(len(before["servers"]) * scenario.part)))
        start = ["start", "--api-url", service.url, "--yes", f"--batch-size={scenario.batch_size}", "-"]
        resume = ["resume", "--send-rest", "--api-url", service.url]
        problems: list[str] = []
        kills = 0
        command, typed = start, "\n".join(ids)
        for deaths_left in range(len(scenario.kills), -1, -1):
            if _live(
                command, typed, directory, rng.uniform(*KILLED_AFTER) if deaths_left else None, problems
            ):
                break
            kills += 1
            if _operation(directory) is not None:
                command, typed = resume, ""
        _live(resume, "", directory, None, problems)
        after = _when_all_jobs_ended(service)
        operation = _operation(directory)
        planned = list(operation.targets) if operation else []
        violations = judge(scenario, operation, Action.START_MAINTENANCE, planned, before, after)
        states = Counter(target.state.value for target in operation.targets.values()) if operation else {}
        log = service.requests()["by_route"]
        struck = {**after["faults"], "kill": kills}
        posts = sum(count for route, count in log.items() if route.startswith("POST /v2/operations"))
    return Result(seed, (*violations, *problems), struck, dict(states), 1, posts, after["now"])


def _hurried(seed: int) -> Scenario:
    """The scenario of a seed, with the parts that can be had from outside of the process."""
    drawn = draw(seed)
    kept = {name: rate for name, rate in drawn.faults.items() if name in HIGHEST_RATES and name != "slow"}
    return Scenario(
        seed=seed,
        servers=drawn.servers,
        part=drawn.part,
        actions=(Action.START_MAINTENANCE,),
        batch_size=max(10, drawn.batch_size),
        wave_size=None,
        faults=kept,
        lost_answers=0.0,
        outages=(),
        kills=drawn.kills,
        clock_jump=0.0,
    )


def _live(
    arguments: list[str], typed: str, home: Path, killed_after: float | None, problems: list[str]
) -> bool:
    """One process; False when it was killed before its end."""
    environment = clean_environment(
        home,
        {
            "PITSTOP_USERNAME": "demo",
            "PITSTOP_PASSWORD": "pitstop",
            "PITSTOP_VERIFY_LIMIT": str(VERIFY_LIMIT),
        },
    )
    process = subprocess.Popen(
        [*HURRIED, *arguments],
        cwd=REPOSITORY,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        output, _ = process.communicate(typed, timeout=killed_after or PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        if killed_after is None:
            problems.append(f"{arguments[0]} was not done after {PATIENCE:g} s: {output[-500:]}")
        return False
    if process.returncode not in {0, 1, 5}:
        problems.append(f"{arguments[0]} ended with {process.returncode}: {output[-500:]}")
    return True


def _operation(home: Path) -> Operation | None:
    """The one operation of the journal, or None."""
    path = home / "state" / "pitstop" / "journal.sqlite3"
    if not path.exists():
        return None
    with closing(sqlite3.connect(path)) as db:
        try:
            found = [row[0] for row in db.execute("SELECT id FROM operations ORDER BY key")]
        except sqlite3.OperationalError:
            return None
    with closing(Journal(path)) as journal:
        return journal.load(found[0]).operation if found else None


def _when_all_jobs_ended(service: Service) -> dict[str, Any]:
    """The sandbox's truth once no job can change anything any more."""
    while True:
        truth = service.truth()
        if all(job["ends"] + 30 * TIME_SCALE < truth["now"] for job in truth["jobs"].values()):
            return truth
        time.sleep(0.1)
