"""The campaign with nothing simulated: real processes through a proxy of bad weather, killed and frozen.

What runs is `pitstop` itself, several at a time on one journal, against a sandbox of its own process; only
the time in which they live is hurried. What is left at the end is taken up in good weather, then judged.
"""

import fcntl
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from tests.campaign import hurried
from tests.campaign.promises import Records, Report, Story, Transition, Violation, judge
from tests.campaign.proxy import Choose, Proxy, Weather
from tests.campaign.script import Command, Process, Script, draw
from tests.terminal.harness import clean_environment
from tests.terminal.service import Service
from tests.tools import find
from tui.engine.journal.writer import JournalWriter
from tui.model.operation import State

HURRIED = (sys.executable, "-m", "tests.campaign.hurried")
REPOSITORY = Path(__file__).parents[2]
APART = ("--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child")

PATIENCE = 480.0
"""Real seconds that one process may take: 200 minutes of its own. What is unsure is watched for an hour or
for three times the longest job from the last of four POSTs on, each after pauses of up to five minutes."""

DIED = (-signal.SIGKILL, 128 + signal.SIGKILL)
"""What waiting for a process that got SIGKILL gives, itself or through another program."""

UNHEARD = 1_000.0
"""Hurried seconds for which nobody reads what an unheard process says."""

MAX_RESUMES = 3
"""So often the operator takes up what is left, in good weather, before it counts as never ending."""


class Result(msgspec.Struct, frozen=True):
    """What came of one run."""

    seed: int
    violations: tuple[Violation, ...]
    struck: dict[str, int]
    """Fault, kill or the like -> how often it struck."""
    states: dict[str, int]
    """State -> servers that ended in it."""
    operations: int
    processes: int
    posts: int


def run_seed(seed: int) -> Result:
    """Carry out the run of a seed, with a home directory that is gone afterwards."""
    memory = Path("/dev/shm")  # Where a disk would be waited for thousands of times.
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as directory:
        return carry_out(draw(seed), Path(directory))


def carry_out(script: Script, home: Path, *, choose: Choose | None = None, defect: str = "") -> Result:
    """Carry a script out and judge it.

    ``choose`` says which fault strikes a request instead of the script's weather; ``defect`` is put back in
    every process.
    """
    faults = [f"--fault={name}={rate}" for name, rate in script.faults.items()]
    options = [f"--servers={script.servers}", f"--seed={script.seed}", *faults]
    options += [f"--job-seconds={script.job_seconds}"] if script.job_seconds else []
    weather = choose or Weather(script.weather, script.seed)
    with (
        Service(*options, command=HURRIED) as service,
        Proxy(service.port, weather, clock=hurried.now, factor=hurried.FACTOR, seed=script.seed) as proxy,
    ):
        before, since = _truth(service)
        scene = _Scene(script, home, proxy, sorted(before["servers"]), defect)
        reports = scene.play()
        if choose is None:
            proxy.choose = Weather({})
        reports += scene.take_up()
        after = _when_all_jobs_ended(service, proxy)
        stories = read_stories(scene.journal)
        calm = not script.faults and not script.weather and not scene.struck.keys() - {"apart"}
        records = Records(before, after, since, stories, proxy.exchanges, reports, calm)
        struck = Counter({name: count for name, count in after["faults"].items() if count}) + scene.struck
        struck.update(exchange.fault for exchange in proxy.exchanges if exchange.fault)
        return Result(
            script.seed,
            tuple(judge(records)),
            dict(struck),
            dict(Counter(state.value for story in stories for state in story.final.values())),
            len(stories),
            len(reports),
            sum(bool(exchange.ids) for exchange in proxy.exchanges),
        )


class _Scene:
    """The processes of one run, on one home directory."""

    def __init__(self, script: Script, home: Path, proxy: Proxy, servers: Sequence[str], defect: str) -> None:
        self.script = script
        self.home = home
        self.journal = home / "state" / "pitstop" / "journal.sqlite3"
        self.struck: Counter[str] = Counter()
        self._proxy = proxy
        self._defect = ("--defect", defect) if defect else ()
        rng = random.Random(f"servers {script.seed}")
        some = [rng.sample(servers, max(2, int(len(servers) * one.part))) for one in script.processes]
        self._ids = [some[0] if script.same else ids for ids in some]

    def play(self) -> list[Report]:
        """Let every process have its fate."""
        reports: list[Report | None] = [None] * len(self.script.processes)

        def live(position: int, process: Process) -> None:
            time.sleep(process.begins / hurried.FACTOR)
            reports[position] = self.live(process, self._ids[position])

        threads = [
            threading.Thread(target=live, args=(position, process))
            for position, process in enumerate(self.script.processes)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [report for report in reports if report is not None]

    def take_up(self) -> list[Report]:
        """Take up what is left until the journal says that it has ended."""
        reports = []
        for _ in range(MAX_RESUMES):
            reports.append(self.live(Process(command=Command.SEND_REST), ()))
            if all(story.ended is not None for story in read_stories(self.journal)):
                break
        return reports

    def live(self, process: Process, ids: Sequence[str]) -> Report:
        """One process from its begin to its end."""
        apart = process.apart and can_live_apart()
        elsewhere = ["--elsewhere"] if process.apart and not apart else []
        arguments = [*HURRIED, *elsewhere, *self._defect, *process.command.split()]
        arguments += ["--json", "--api-url", self._proxy.url]
        if process.command in (Command.START, Command.STOP):
            arguments += ["--yes", f"--batch-size={self.script.batch_size}"]
            arguments += [f"--wave={process.wave}"] if process.wave else []
            arguments += ids
        arguments = ["unshare", *APART, *arguments] if apart else arguments
        self.struck["apart"] += process.apart
        if process.killed_at is not None:
            calls, number = process.killed_at
            inject = f"inject={calls}:signal=SIGKILL:when={number}"
            traced = ("-f", "-qq", "-o", str(self.home / "trace"), "-e", f"trace={calls}", "-e", inject)
            arguments = [find("strace") or "strace", *traced, *arguments]
        credentials = {
            "PITSTOP_USERNAME": "demo",
            "PITSTOP_PASSWORD": "pitstop",
            "PITSTOP_VERIFY_LIMIT": "90",
        }
        running = subprocess.Popen(
            arguments,
            cwd=REPOSITORY,
            env=clean_environment(self.home, credentials),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        fates = threading.Thread(target=self._have_fate, args=(process, running, apart))
        fates.start()
        in_time, heard = True, None
        if process.unheard:
            _make_short(running)
            with suppress(subprocess.TimeoutExpired):
                running.wait(UNHEARD / hurried.FACTOR)
            heard = hurried.now()
        try:
            output, narration = running.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            in_time = False
            self._send(running, apart, signal.SIGKILL)
            output, narration = running.communicate()
        fates.join()
        if process.killed_at is not None and running.returncode in DIED:
            self.struck["died"] += 1
        code = running.returncode if running.returncode in range(128) else None
        told = said(output) if code is not None else {}
        return Report(process.command, code, told, narration, in_time, heard)

    def _have_fate(self, process: Process, running: "subprocess.Popen[str]", apart: bool) -> None:
        """Send a process its signals when they are due."""
        while process.since and running.poll() is None:
            if any(exchange.fault == process.since for exchange in list(self._proxy.exchanges)):
                break
            time.sleep(0.01)
        for after, number in _fates(process):
            with suppress(subprocess.TimeoutExpired):
                running.wait(after)
            if not process.locked_for:
                self._send(running, apart, number)
                continue
            with closing(sqlite3.connect(self.journal, timeout=PATIENCE, isolation_level=None)) as db:
                db.execute("BEGIN IMMEDIATE")
                self._send(running, apart, number)
                time.sleep(process.locked_for / hurried.FACTOR)

    def _send(self, running: "subprocess.Popen[str]", apart: bool, number: signal.Signals) -> None:
        if running.poll() is not None:
            return
        self.struck[number.name] += 1
        pids = _children(running.pid) if apart else [running.pid]
        with suppress(ProcessLookupError):
            for pid in pids or [running.pid]:
                os.kill(pid, number)


def _make_short(running: "subprocess.Popen[str]") -> None:
    """Let what a process says fill its pipe soon."""
    for pipe in (running.stdout, running.stderr):
        assert pipe is not None
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 4096)


def _fates(process: Process) -> list[tuple[float, signal.Signals]]:
    """Real seconds -> the signal that a process gets then, each counted from the one before."""
    fates = []
    if process.killed_after is not None:
        fates.append((process.killed_after, signal.SIGKILL))
    if process.frozen_after is not None:
        fates.append((process.frozen_after, signal.SIGSTOP))
        fates.append((process.frozen_for, signal.SIGCONT))
    return [(after / hurried.FACTOR, number) for after, number in fates]


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


@cache
def can_live_apart() -> bool:
    """Whether this machine gives a process a PID namespace of its own."""
    if not shutil.which("unshare"):
        return False
    return subprocess.run(["unshare", *APART, "true"], check=False, capture_output=True).returncode == 0


def said(output: str) -> dict[str, dict[str, State]]:
    """What a process printed at its end: operation -> server -> state."""
    found = {}
    for line in output.splitlines():
        with suppress(ValueError):
            told = json.loads(line)
            if told["operation"]:
                found[told["operation"]] = {one["id"]: State(one["state"]) for one in told["servers"]}
    return found


def read_stories(path: Path) -> list[Story]:
    """Every operation of a journal, with all that became of it."""
    if not path.exists():
        return []
    with closing(sqlite3.connect(path)) as db:
        try:
            ids = [row[0] for row in db.execute("SELECT id FROM operations ORDER BY key")]
        except sqlite3.OperationalError:  # Killed before the tables were made.
            return []
    stories = []
    with closing(JournalWriter(path, now=hurried.now)) as journal:
        for id_ in ids:
            operation = journal.load(id_).operation
            changes, _ = journal.changes(id_, 0)
            stories.append(
                Story(
                    id_,
                    operation.action,
                    operation.started,
                    operation.ended,
                    {target.server_id: target.state for target in operation.targets.values()},
                    [Transition(one.at, one.server_id, one.state, one.message) for one in changes],
                )
            )
    return stories


def _truth(service: Service) -> tuple[dict[str, Any], float]:
    """The sandbox's truth, and when the sandbox was started."""
    since = []
    for _ in range(5):
        truth = service.truth()
        since.append(hurried.now() - truth["now"])
    return truth, min(since)


def _when_all_jobs_ended(service: Service, proxy: Proxy) -> dict[str, Any]:
    """The sandbox's truth once nothing can change any more."""
    while True:
        owes = proxy.owes
        truth = service.truth()
        if not owes and all(job["ends"] < truth["now"] for job in truth["jobs"].values()):
            return truth
        time.sleep(0.1)
