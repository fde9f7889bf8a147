"""The campaign with real processes: killed and frozen, and connected through a proxy that makes faults.

Several `pitstop` processes run on one journal, against a sandbox in this process, all in hurried time. At
the end the rest is resumed without faults of the proxy, and the run is judged.
"""

import asyncio
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
import urllib.request
from collections import Counter
from collections.abc import Sequence
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from tests.campaign import hurried
from tests.campaign.promises import History, Records, Report, Transition, Violation, judge
from tests.campaign.proxy import Choose, Proxy, RandomFaults
from tests.campaign.script import Command, Process, Script, draw
from tests.serving import serve
from tests.terminal.harness import clean_environment
from tests.tools import find
from tui.engine.journal.writer import JournalWriter
from tui.model.operation import State
from tui.sandbox.app import create_app
from tui.sandbox.config import SandboxConfig, parse_job_seconds

HURRIED = (sys.executable, "-m", "tests.campaign.hurried")
REPOSITORY = Path(__file__).parents[2]
ISOLATE = ("--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child")

PATIENCE = 480.0
"""Real seconds that one process may take: 200 hurried minutes. Unsure servers are watched for an hour, or for
three times the longest job, from the last of four POSTs on, each after pauses of up to five minutes."""

KILLED_CODES = (-signal.SIGKILL, 128 + signal.SIGKILL)
"""Exit codes of a process that got SIGKILL, itself or through another program."""

STALLED_FOR = 3_000.0
"""Hurried seconds for which the reader of a process stalls at most: until all operations have ended."""

MAX_RESUMES = 3
"""Resumes at the end of a run, before an operation counts as one that never ends."""


class Result(msgspec.Struct, frozen=True):
    """The result of one run."""

    seed: int
    violations: tuple[Violation, ...]
    struck: dict[str, int]
    """Fault, kill or the like -> how often it happened."""
    states: dict[str, int]
    """State -> servers that ended in it."""
    operations: int
    processes: int
    posts: int


def run_seed(seed: int) -> Result:
    """Carry out the run of a seed, in a temporary home directory."""
    memory = Path("/dev/shm")  # On a disk, thousands of syncs would take time.
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as directory:
        return carry_out(draw(seed), Path(directory))


def carry_out(script: Script, home: Path, *, choose: Choose | None = None, defect: str = "") -> Result:
    """Carry a script out and judge it.

    ``choose`` chooses the faults of the proxy instead of the script's rates; ``defect`` is put back in every
    process.
    """
    config = SandboxConfig(
        servers=script.servers,
        seed=script.seed,
        faults=script.faults,
        job_seconds=parse_job_seconds(script.job_seconds) if script.job_seconds else None,
    )
    app = create_app(config, hurried.now, lambda seconds: asyncio.sleep(seconds / hurried.FACTOR))
    chosen = choose or RandomFaults(script.link_faults, script.seed)
    with (
        serve(app) as sandbox,
        Proxy(_port(sandbox), chosen, clock=hurried.now, factor=hurried.FACTOR, seed=script.seed) as proxy,
    ):
        before = _truth(sandbox)
        processes = _Processes(script, home, proxy, sorted(before["servers"]), defect)
        reports = processes.run_all()
        if choose is None:
            proxy.choose = RandomFaults({})
        reports += processes.resume_all()
        after = _when_all_jobs_ended(sandbox, proxy)
        histories = read_histories(processes.journal)
        undisturbed = (
            not script.faults and not script.link_faults and not processes.struck.keys() - {"isolated"}
        )
        since = app.state.plane.started
        records = Records(before, after, since, histories, proxy.exchanges, reports, undisturbed)
        struck = Counter({name: count for name, count in after["faults"].items() if count}) + processes.struck
        struck.update(exchange.fault for exchange in proxy.exchanges if exchange.fault)
        return Result(
            script.seed,
            tuple(judge(records)),
            dict(struck),
            dict(Counter(state.value for history in histories for state in history.final.values())),
            len(histories),
            len(reports),
            sum(bool(exchange.ids) for exchange in proxy.exchanges),
        )


class _Processes:
    """The processes of one run, on one home directory."""

    def __init__(self, script: Script, home: Path, proxy: Proxy, servers: Sequence[str], defect: str) -> None:
        self.script = script
        self.home = home
        self.journal = home / "state" / "pitstop" / "journal.sqlite3"
        self.struck: Counter[str] = Counter()
        self._proxy = proxy
        self._defect = ("--defect", defect) if defect else ()
        rng = random.Random(f"servers {script.seed}")
        some = [rng.sample(servers, max(2, int(len(servers) * one.share))) for one in script.processes]
        self._ids = [some[0] if script.same else ids for ids in some]

    def run_all(self) -> list[Report]:
        """Run all processes of the script, each with its signals."""
        reports: list[Report | None] = [None] * len(self.script.processes)

        def run_one(position: int, process: Process) -> None:
            self._wait_for_posts(process.after_posts)
            time.sleep(process.begins / hurried.FACTOR)
            reports[position] = self.run_one(process, self._ids[position])

        threads = [
            threading.Thread(target=run_one, args=(position, process))
            for position, process in enumerate(self.script.processes)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [report for report in reports if report is not None]

    def resume_all(self) -> list[Report]:
        """Resume until every operation has ended in the journal."""
        reports = []
        for _ in range(MAX_RESUMES):
            reports.append(self.run_one(Process(command=Command.SEND_REST), ()))
            if all(history.ended is not None for history in read_histories(self.journal)):
                break
        return reports

    def run_one(self, process: Process, ids: Sequence[str]) -> Report:
        """Run one process from its start to its end."""
        isolated = process.isolated and can_isolate()
        elsewhere = ["--elsewhere"] if process.isolated and not isolated else []
        arguments = [*HURRIED, *elsewhere, *self._defect, *process.command.split()]
        arguments += ["--json", "--api-url", self._proxy.url]
        if process.command in (Command.START, Command.STOP):
            arguments += ["--yes", f"--batch-size={self.script.batch_size}"]
            arguments += [f"--wave={process.wave}"] if process.wave else []
            arguments += ["--not-mine"] if process.command is Command.STOP else []
            arguments += ids
        arguments = ["unshare", *ISOLATE, *arguments] if isolated else arguments
        self.struck["isolated"] += process.isolated
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
        signals = threading.Thread(target=self._send_signals, args=(process, running, isolated))
        signals.start()
        in_time, read_since = True, None
        if process.reader_stalls:
            _shrink_pipes(running)
            _stall(running, self.journal)
            read_since = hurried.now()
        try:
            stdout, stderr = running.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            in_time = False
            self._send(running, isolated, signal.SIGKILL)
            stdout, stderr = running.communicate()
        signals.join()
        if process.killed_at is not None and running.returncode in KILLED_CODES:
            self.struck["killed"] += 1
        code = running.returncode if running.returncode in range(128) else None
        printed = printed_states(stdout) if code is not None else {}
        return Report(process.command, code, printed, stderr, in_time, read_since)

    def _wait_for_posts(self, number: int) -> None:
        """Wait until so many POSTs that change servers have arrived at the proxy; at most ``PATIENCE``."""
        deadline = time.monotonic() + PATIENCE
        while sum(bool(one.ids) for one in list(self._proxy.exchanges)) < number:
            if time.monotonic() > deadline:
                return
            time.sleep(0.05)

    def _send_signals(self, process: Process, running: "subprocess.Popen[str]", isolated: bool) -> None:
        """Send a process its signals when they are due."""
        while process.after_fault and running.poll() is None:
            if any(exchange.fault == process.after_fault for exchange in list(self._proxy.exchanges)):
                break
            time.sleep(0.01)
        for after, number in _signals(process):
            with suppress(subprocess.TimeoutExpired):
                running.wait(after)
            if number is signal.SIGCONT and process.frozen_until_claimed:
                _wait_for_claim(self.journal)
            if not process.locked_for:
                self._send(running, isolated, number)
                continue
            with closing(sqlite3.connect(self.journal, timeout=PATIENCE, isolation_level=None)) as db:
                db.execute("BEGIN IMMEDIATE")
                self._send(running, isolated, number)
                time.sleep(process.locked_for / hurried.FACTOR)

    def _send(self, running: "subprocess.Popen[str]", isolated: bool, number: signal.Signals) -> None:
        if running.poll() is not None:
            return
        self.struck[number.name] += 1
        pids = _children(running.pid) if isolated else [running.pid]
        with suppress(ProcessLookupError):
            for pid in pids or [running.pid]:
                os.kill(pid, number)


def _shrink_pipes(running: "subprocess.Popen[str]") -> None:
    """Shrink the pipes of a process, so that its output fills them soon."""
    for pipe in (running.stdout, running.stderr):
        assert pipe is not None
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 4096)


def _stall(running: "subprocess.Popen[str]", journal: Path) -> None:
    """Wait until the process or all operations have ended; at most ``STALLED_FOR``."""
    deadline = hurried.now() + STALLED_FOR
    while running.poll() is None and hurried.now() < deadline and not _all_ended(journal):
        time.sleep(0.2)


def _all_ended(journal: Path) -> bool:
    """Whether there are operations, and all have ended."""
    with suppress(sqlite3.OperationalError), closing(_open_to_read(journal)) as db:
        operations, ended = db.execute("SELECT count(*), count(ended) FROM operations").fetchone()
        return bool(operations) and operations == ended
    return False  # The tables are not made yet.


def _open_to_read(journal: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{journal}?mode=ro", uri=True)


def _wait_for_claim(journal: Path) -> None:
    """Wait until an operation was claimed from the process that created it; at most ``PATIENCE``."""
    deadline = time.monotonic() + PATIENCE
    with closing(_open_to_read(journal)) as db:
        while time.monotonic() < deadline:
            if db.execute("SELECT max(generation) FROM operations").fetchone()[0] > 1:
                return
            time.sleep(0.05)


def _signals(process: Process) -> list[tuple[float, signal.Signals]]:
    """The signals that a process gets, each with the real seconds since the one before."""
    signals = []
    if process.killed_after is not None:
        signals.append((process.killed_after, signal.SIGKILL))
    if process.frozen_after is not None:
        signals.append((process.frozen_after, signal.SIGSTOP))
        signals.append((process.frozen_for, signal.SIGCONT))
    return [(after / hurried.FACTOR, number) for after, number in signals]


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


@cache
def can_isolate() -> bool:
    """Whether a process can have a PID namespace of its own on this machine."""
    if not shutil.which("unshare"):
        return False
    return subprocess.run(["unshare", *ISOLATE, "true"], check=False, capture_output=True).returncode == 0


def printed_states(stdout: str) -> dict[str, dict[str, State]]:
    """The states that a process printed at its end: operation -> server -> state."""
    found = {}
    for line in stdout.splitlines():
        with suppress(ValueError):
            printed = json.loads(line)
            if printed["operation"]:
                found[printed["operation"]] = {one["id"]: State(one["state"]) for one in printed["servers"]}
    return found


def read_histories(path: Path) -> list[History]:
    """Every operation of a journal, with its transitions."""
    if not path.exists():
        return []
    with closing(sqlite3.connect(path)) as db:
        try:
            ids = [row[0] for row in db.execute("SELECT id FROM operations ORDER BY key")]
        except sqlite3.OperationalError:  # Killed before the tables were made.
            return []
    histories = []
    with closing(JournalWriter(path, now=hurried.now)) as journal:
        for id_ in ids:
            operation = journal.load(id_).operation
            changes, _ = journal.changes(id_, 0)
            histories.append(
                History(
                    id_,
                    operation.action,
                    operation.started,
                    operation.ended,
                    {target.server_id: target.state for target in operation.targets.values()},
                    [Transition(one.at, one.server_id, one.state, one.message) for one in changes],
                )
            )
    return histories


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])


def _truth(sandbox: str) -> dict[str, Any]:
    """The sandbox's own records now."""
    with urllib.request.urlopen(f"{sandbox}/__sandbox/truth", timeout=PATIENCE) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def _when_all_jobs_ended(sandbox: str, proxy: Proxy) -> dict[str, Any]:
    """The sandbox's own records once nothing can change any more."""
    while True:
        undelivered = proxy.undelivered
        truth = _truth(sandbox)
        if not undelivered and all(job["ends"] < truth["now"] for job in truth["jobs"].values()):
            return truth
        time.sleep(0.1)
