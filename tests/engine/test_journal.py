"""The journal's file: durable and private, and every problem with it is reported."""

import contextlib
import multiprocessing
import os
import random
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.console import memory_directory
from tests.engine.journals import claim, record
from tui.engine.errors import (
    TAKEN_OVER,
    JournalDamaged,
    JournalError,
    JournalTooNew,
    OwnershipLost,
    ServersBusy,
    StopRequested,
)
from tui.engine.journal import database, retention, schema
from tui.engine.journal import writer as journal
from tui.engine.journal.owner import Owner
from tui.engine.journal.writer import JournalWriter
from tui.model import retention as limits
from tui.model.operation import IN_FLIGHT, Action, Operation, State, Target
from tui.model.plan import Batch, Plan
from tui.model.prior import DOUBT_LASTS, PriorTarget
from tui.model.window import MaintenanceStep, Window, held_in_maintenance

PLACE = "https://cloud.example"
IDS = ("WA1A", "WA1B", "DE1A")
OTHERS = ("WA1C", "WA1D", "DE1B")
DAY = 86_400.0
DAMAGED = r"is damaged \(.+\); move it away to begin a new one"


class JournalProcess:
    """A process with its journal, and a clock that the test sets."""

    def __init__(self, path: Path, *, pid: int = 1, alive: Callable[[int], bool] = lambda pid: True) -> None:
        self.time = 1_000.0
        self.boot, self.up = "boot-1", 0.0
        self.journal = JournalWriter(
            path,
            owner=Owner("here", pid, "then"),
            alive=lambda owner, age: alive(owner.pid),
            now=lambda: self.time,
            uptime=lambda: (self.boot, self.up),
        )

    def create(
        self,
        id_: str = "op-1",
        action: Action = Action.START_MAINTENANCE,
        window: str = "win-1",
        ids: tuple[str, ...] = IDS,
    ) -> Plan:
        plan = Plan(action, (Batch(0, 0, "WA1", ids[:2]), Batch(1, 1, "DE1", ids[2:])))
        operation = Operation(id_, action, ids, window_id=window, reason="CHG-1", started=self.time)
        self.journal.create(
            operation,
            plan,
            Window(window, PLACE, "ACME", "op", self.time, "CHG-1"),
            was_in_maintenance={"WA1A": False, "WA1B": True},
            max_failed=3,
        )
        return plan

    def operation_ids(self) -> list[str]:
        """The ids of all operations."""
        with self.journal.database.reading() as db:
            return [row[0] for row in db.execute("SELECT id FROM operations ORDER BY key")]

    def finish(self, id_: str, state: State = State.VERIFIED) -> None:
        record(self.journal, id_, [Target(server, state, self.time) for server in IDS])
        self.journal.end_all([(id_, self.time)])


@pytest.fixture
def process(tmp_path: Path) -> JournalProcess:
    return JournalProcess(tmp_path / "journal.db")


def pragma(of: JournalWriter, name: str) -> object:
    with of.database.reading() as db:
        return db.execute(f"PRAGMA {name}").fetchone()[0]


def test_an_operation_is_loaded_as_it_was_written(process: JournalProcess, tmp_path: Path) -> None:
    plan = process.create()
    process.journal.record_intent(
        "op-1", plan.batches[0], [Target(id_, State.SUBMITTING, 5.0) for id_ in IDS[:2]]
    )
    record(process.journal, "op-1", [Target("WA1A", State.QUEUED, 6.0, "wa1-7", "hello")])
    stored = JournalProcess(tmp_path / "journal.db", pid=2).journal.load("op-1")
    assert stored.plan == plan
    assert stored.window == Window("win-1", PLACE, "ACME", "op", 1_000.0, "CHG-1")
    assert stored.operation.targets == {
        "WA1A": Target("WA1A", State.QUEUED, 6.0, "wa1-7", "hello"),
        "WA1B": Target("WA1B", State.SUBMITTING, 5.0),
        "DE1A": Target("DE1A", State.PLANNED, 1_000.0),
    }
    assert (stored.submitted, stored.max_failed, stored.elsewhere) == ({0: 1_000.0}, 3, True)
    assert (stored.operation.reason, stored.operation.account) == ("CHG-1", "ACME")
    assert (stored.operation.window_id, stored.operation.started) == ("win-1", 1_000.0)


def test_changes_are_all_transitions_with_their_times(process: JournalProcess) -> None:
    plan = process.create()
    process.journal.record_intent("op-1", plan.batches[1], [Target("DE1A", State.SUBMITTING, 5.0)])
    record(process.journal, "op-1", [Target("DE1A", State.UNSURE, 6.0, message="lost")])
    record(process.journal, "op-1", [Target("DE1A", State.VERIFIED, 9.0)])
    changes, newest = process.journal.changes("op-1", 0)
    assert [(t.state, t.at) for t in changes] == [
        (State.SUBMITTING, 5.0),
        (State.UNSURE, 6.0),
        (State.VERIFIED, 9.0),
    ]
    assert process.journal.changes("op-1", newest) == ([], newest)


def test_the_time_since_a_batch_was_sent_is_known_as_far_as_the_boot_tells(
    process: JournalProcess, tmp_path: Path
) -> None:
    plan = process.create()
    process.up = 100.0
    process.journal.record_intent("op-1", plan.batches[1], [Target("DE1A", State.SUBMITTING, 5.0)])
    later = JournalProcess(tmp_path / "journal.db", pid=2)
    later.time -= 500.0  # The clock was set back.
    found = []
    for boot, up in (("boot-1", 160.5), ("boot-1", 90.0), ("boot-2", 160.5), ("", 160.5)):
        later.boot, later.up = boot, up
        stored = later.journal.load("op-1")
        assert stored.submitted == {1: 1_000.0}
        found.append(stored.ages)
    assert found == [{1: 60.5}, {1: 0.0}, {1: 0.0}, {1: 0.0}]
    process.boot = ""  # A system that tells neither.
    process.journal.record_intent("op-1", plan.batches[0], [Target("WA1A", State.SUBMITTING, 5.0)])
    later.boot = ""
    assert later.journal.load("op-1").ages == {0: 0.0, 1: 0.0}


def test_each_operation_has_its_own_changes_and_liveness(process: JournalProcess, tmp_path: Path) -> None:
    process.create()
    process.create("op-2", ids=OTHERS)
    record(process.journal, "op-1", [Target("WA1A", State.QUEUED, 6.0, "wa1-7", "hello")])
    record(process.journal, "op-2", [Target("WA1C", State.QUEUED, 7.0)])
    _, middle = process.journal.changes("op-1", 0)
    record(process.journal, "op-1", [Target("WA1A", State.FAILED, 8.0)])
    changes, newest = process.journal.changes("op-1", 0)
    assert changes == [
        Target("WA1A", State.QUEUED, 6.0, "wa1-7", "hello"),
        Target("WA1A", State.FAILED, 8.0),
    ]
    assert process.journal.changes("op-1", middle) == (changes[1:], newest)
    other = JournalProcess(tmp_path / "journal.db", pid=2)
    assert other.journal.load("op-1").newest == newest
    assert other.journal.load("op-2").newest < newest
    other.create("op-3", ids=("WA1E",))
    assert other.journal.load("op-3").newest == 0
    process.journal.release(["op-2"])
    process.journal.end_all([("op-1", 50.0)])
    assert [other.journal.liveness(f"op-{number}") for number in (1, 2, 3)] == [
        (50.0, False),
        (None, False),
        (None, False),
    ]
    assert process.journal.liveness("op-3") == (None, True)
    assert [process.journal.load(f"op-{number}").elsewhere for number in (1, 2, 3)] == [False, False, True]
    assert process.journal.load("op-1").operation.ended == 50.0
    for ask in (process.journal.load, process.journal.liveness):
        with pytest.raises(JournalError, match=r"^the journal has no operation op-4$"):
            ask("op-4")


def test_an_owner_is_judged_by_the_age_of_its_heartbeat(tmp_path: Path) -> None:
    process = JournalProcess(tmp_path / "journal.db")
    process.create()
    ages: list[tuple[Owner, float]] = []

    def alive(owner: Owner, age: float) -> bool:
        ages.append((owner, age))
        return age < 100

    time = 1_000.0
    owner = Owner("there", 7, "")
    other = JournalWriter(tmp_path / "journal.db", owner=owner, alive=alive, now=lambda: time)
    time += 40
    assert other.load("op-1").elsewhere
    process.time += 100
    process.journal.heartbeat()
    time += 60
    assert other.liveness("op-1") == (None, True)
    time += 99.5
    assert not claim(other, "op-1")
    time += 1
    assert claim(other, "op-1")
    assert ages == [(Owner("here", 1, "then"), age) for age in (40.0, 0.0, 99.5, 100.5)]
    process.time = time + 5
    process.journal.heartbeat()
    third = JournalWriter(
        tmp_path / "journal.db", owner=Owner("third", 9, ""), alive=alive, now=lambda: time + 9
    )
    assert third.liveness("op-1") == (None, True)
    assert ages[-1] == (owner, 9.0), "another process's heartbeat renews only what it owns"
    for of in (process.journal, other, third):
        of.close()


def test_windows_are_found_by_account_and_by_id_or_user_and_reason(
    process: JournalProcess,
) -> None:
    def window(
        id_: str,
        opened: float,
        *,
        account: str = "ACME",
        user: str = "op",
        reason: str = "CHG-1",
        endpoint: str = PLACE,
    ) -> Window:
        return Window(id_, endpoint, account, user, opened, reason, opened + 7_200)

    stored = [
        window("win-z", 10.0),
        window("win-a", 20.0),
        window("win-closed", 30.0),
        window("win-user", 40.0, user="other"),
        window("win-reason", 50.0, reason="CHG-2"),
        window("win-account", 60.0, account="EMCA"),
        window("win-place", 70.0, endpoint="https://other.example"),
    ]
    for number, one in enumerate(reversed(stored)):
        plan = Plan(Action.PAUSE, (Batch(0, 0, "WA1", (f"WA1-{number}",)),))
        operation = Operation(f"op-{one.id}", plan.action, plan.server_ids)
        process.journal.create(operation, plan, one, was_in_maintenance={})
    again = Operation("op-again", Action.PAUSE, ["WA1-9"])
    plan = Plan(Action.PAUSE, (Batch(0, 0, "WA1", ("WA1-9",)),))
    process.journal.create(again, plan, stored[0], was_in_maintenance={})
    process.journal.history.close("win-closed", leave="later")
    process.time += 10
    process.journal.history.close("win-closed", leave="later")
    journal = process.journal
    closed = Window("win-closed", PLACE, "ACME", "op", 30.0, "CHG-1", 7_230.0, 1_000.0)
    assert journal.windows(PLACE, "ACME") == [*stored[:2], closed, *stored[3:5]]
    assert journal.history.window_of(window("new", 99.0), named=False) == stored[1]
    assert journal.history.window_of(window("new", 99.0), named=True) is None
    assert journal.history.window_of(window("win-closed", 99.0, reason="CHG-9"), named=True) == closed
    assert journal.history.window_of(window("win-account", 99.0), named=True) is None
    assert journal.history.window_of(window("new", 99.0, reason="CHG-9"), named=False) is None
    assert journal.operations("win-z") == ["op-win-z", "op-again"]
    assert journal.unfinished(PLACE, "ACME") == [
        f"op-win-{name}" for name in ("reason", "user", "closed", "a", "z")
    ] + ["op-again"]
    assert journal.unfinished(PLACE, "EMCA") == ["op-win-account"]
    journal.end_all([("op-again", 5.0), ("op-win-account", 5.0)])
    assert list(journal.unfinished_everywhere().items()) == [
        ((PLACE, "ACME"), 5),
        (("https://other.example", "ACME"), 1),
    ]


def test_servers_under_way_or_in_doubt_are_known_with_their_operation(
    process: JournalProcess, tmp_path: Path
) -> None:
    process.create("in-doubt")
    record(process.journal, "in-doubt", [Target("WA1A", State.UNSURE, 1_000.0)])
    record(process.journal, "in-doubt", [Target(id_, State.CANCELLED, 1_000.0) for id_ in IDS[1:]])
    process.journal.end_all([("in-doubt", 1_000.0)])
    process.time += 500
    process.create("under-way", Action.PAUSE, ids=OTHERS)
    record(process.journal, "under-way", [Target("WA1C", State.EXECUTING, 1_600.0)])
    doubt = PriorTarget("in-doubt", Action.START_MAINTENANCE, State.UNSURE, 1_000.0, 1_000.0, "CHG-1")
    executing = PriorTarget(
        "under-way", Action.PAUSE, State.EXECUTING, 1_600.0, 1_500.0, "CHG-1", open=True, sending=True
    )
    planned = executing.with_state(State.PLANNED, 1_500.0)
    under_way = {"WA1C": executing, "WA1D": planned, "DE1B": planned}
    journal = process.journal
    assert journal.prior_targets(PLACE, "ACME") == {"WA1A": doubt, **under_way}
    assert journal.prior_targets(PLACE, "ACME", besides="under-way") == {"WA1A": doubt}
    assert journal.prior_targets(PLACE, "ACME", besides="in-doubt") == under_way
    assert journal.prior_targets(PLACE, "EMCA") == journal.prior_targets("elsewhere", "ACME") == {}
    other = JournalProcess(tmp_path / "journal.db", pid=2)
    other.time = 1_000.0 + DOUBT_LASTS
    assert other.journal.prior_targets(PLACE, "ACME") == under_way
    heir = JournalProcess(tmp_path / "journal.db", pid=2, alive=lambda pid: False)
    heir.time = other.time - 1
    assert list(heir.journal.prior_targets(PLACE, "ACME")) == ["WA1A", "WA1C"], "nobody is about to send"
    heir.create("after-a-doubt", ids=("WA1A", "WA1B", "DE1A"))
    with pytest.raises(ServersBusy, match=r"^WA1C: still under way in another operation, which must end, "):
        heir.create("busy", ids=OTHERS)
    record(journal, "under-way", [Target(id_, State.QUEUED, 1_600.0) for id_ in OTHERS[1:]])
    with pytest.raises(ServersBusy, match=r"^WA1C, WA1D, DE1B: still under way in another operation, "):
        heir.create("busy", ids=OTHERS)
    with pytest.raises(ServersBusy, match=r"^WA1A, WA1B, DE1A and 2 more: still under way"):
        heir.create("busy", ids=(*IDS, *OTHERS[:2]))
    with pytest.raises(ServersBusy, match=r"^WA1A, WA1B, DE1A and 1 more: still under way"):
        heir.create("busy", ids=(*IDS, *OTHERS[:1]))


def test_sqlite_is_set_to_durability_and_integrity_checks(process: JournalProcess) -> None:
    assert pragma(process.journal, "busy_timeout") == database.BUSY_TIMEOUT * 1_000
    process.create()
    assert {
        name: pragma(process.journal, name)
        for name in ("journal_mode", "synchronous", "foreign_keys", "cell_size_check", "trusted_schema")
    } == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "cell_size_check": 1,
        "trusted_schema": 0,
    }
    assert pragma(process.journal, "fullfsync") == pragma(process.journal, "checkpoint_fullfsync") == 1
    assert pragma(process.journal, "user_version") == len(schema.VERSIONS)


def test_the_journals_files_and_directory_are_private(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        process = JournalProcess(tmp_path / "state" / "journal.db")
        process.create()
        files = sorted((tmp_path / "state").iterdir())
        assert [file.name for file in files] == ["journal.db", "journal.db-shm", "journal.db-wal"]
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    finally:
        os.umask(old)


def test_a_journal_that_others_could_read_is_made_private(process: JournalProcess, tmp_path: Path) -> None:
    process.create()
    process.journal.close()
    (tmp_path / "journal.db").chmod(0o644)
    JournalProcess(tmp_path / "journal.db").journal.load("op-1")
    assert stat.S_IMODE((tmp_path / "journal.db").stat().st_mode) == 0o600


@pytest.mark.parametrize("suffix", ["", "-wal"])
@pytest.mark.parametrize("hard", [False, True])
def test_links_are_not_followed(tmp_path: Path, suffix: str, *, hard: bool) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"")
    link = tmp_path / f"journal.db{suffix}"
    if hard:
        link.hardlink_to(victim)
    else:
        link.symlink_to(victim)
    with pytest.raises(JournalError, match="is a link or not a file"):
        JournalProcess(tmp_path / "journal.db").create()
    assert victim.read_bytes() == b""


def test_a_dangling_link_creates_no_file(tmp_path: Path) -> None:
    (tmp_path / "journal.db").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(JournalError, match="is a link"):
        JournalProcess(tmp_path / "journal.db").create()
    assert not (tmp_path / "elsewhere").exists()


def test_a_directory_that_others_can_write_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(JournalError, match=r"others can write to .*chmod 700"):
        JournalProcess(tmp_path / "open" / "journal.db").create()


def test_a_journal_of_a_newer_version_is_refused_and_unchanged(
    process: JournalProcess, tmp_path: Path
) -> None:
    process.create()
    process.journal.close()
    with sqlite3.connect(tmp_path / "journal.db") as db:
        db.execute(f"PRAGMA user_version = {len(schema.VERSIONS) + 1}")
    db.close()
    before = (tmp_path / "journal.db").read_bytes()
    with pytest.raises(JournalTooNew, match="written by a newer Pitstop"):
        JournalProcess(tmp_path / "journal.db").create("op-2")
    assert (tmp_path / "journal.db").read_bytes() == before


def test_an_older_journal_is_migrated_to_the_newest_version(
    process: JournalProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process.create()
    process.journal.close()
    more = (("ALTER TABLE operations ADD COLUMN note TEXT",), ("UPDATE operations SET note = 'migrated'",))
    monkeypatch.setattr(schema, "VERSIONS", (*schema.VERSIONS, *more))
    later = JournalProcess(tmp_path / "journal.db")
    assert later.journal.load("op-1").operation.summary() == {"planned": 3}
    with later.journal.database.reading() as db:
        assert db.execute("SELECT note FROM operations").fetchone()[0] == "migrated"
    assert pragma(later.journal, "user_version") == len(schema.VERSIONS)


def test_operations_from_before_retries_are_a_retry_of_none(
    process: JournalProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(schema, "VERSIONS", schema.VERSIONS[:5])
        with process.journal.database.writing() as db:
            db.execute("INSERT INTO windows VALUES ('win-1', ?, 'ACME', 'op', '', 0, NULL, NULL)", (PLACE,))
            db.execute(
                "INSERT INTO operations (id, window, action, reason, started, ended, heartbeat)"
                " VALUES ('op-1', 'win-1', 'reboot', '', 0, 1, 0)"
            )
            db.execute(
                "INSERT INTO targets (operation, batch, server, state, at, job, message)"
                " VALUES (1, 0, 'WA1A', 'failed', 0, '', '')"
            )
        process.journal.close()
    journal = JournalProcess(tmp_path / "journal.db").journal
    assert journal.load("op-1").operation.retry_of == ""
    stored = journal.to_retry(PLACE, "ACME")
    assert stored is not None
    assert (stored.operation.id, stored.later) == ("op-1", {})


def retry_of(process: JournalProcess, old: str, new: str, *ids: str) -> None:
    """Create an operation that tries servers of ``old`` again."""
    plan = Plan(Action.START_MAINTENANCE, (Batch(0, 0, "WA1", ids),))
    operation = Operation(new, plan.action, ids, started=process.time, retry_of=old)
    window = Window("win-1", PLACE, "ACME", "op", process.time, "CHG-1")
    process.journal.create(operation, plan, window, was_in_maintenance={})


def test_a_retry_refers_to_its_operation_and_takes_its_servers_out_of_it(process: JournalProcess) -> None:
    process.create()
    process.finish("op-1", State.FAILED)
    retry_of(process, "op-1", "op-2", "WA1A")
    assert process.journal.load("op-2").operation.retry_of == "op-1"
    record(process.journal, "op-2", [Target("WA1A", State.VERIFIED, process.time)])
    process.journal.end_all([("op-2", process.time)])
    stored = process.journal.to_retry(PLACE, "ACME")
    assert stored is not None
    assert stored.operation.id == "op-1", "two of its servers are in no later operation"
    assert stored.later.keys() == {"WA1A"}
    assert (stored.later["WA1A"].operation_id, stored.later["WA1A"].state) == ("op-2", State.VERIFIED)
    with pytest.raises(ServersBusy, match=r"^WA1A: in a later operation meanwhile, op-2$"):
        retry_of(process, "op-1", "op-3", "WA1A", "WA1B")
    retry_of(process, "op-1", "op-3", "WA1B")
    assert process.operation_ids() == ["op-1", "op-2", "op-3"]


def test_what_can_be_retried_is_found_by_place_and_kind(process: JournalProcess) -> None:
    process.create()
    process.finish("op-1", State.FAILED)
    process.create("op-2", Action.REBOOT)
    process.finish("op-2", State.SUCCEEDED)
    stored = process.journal.to_retry(PLACE, "ACME")
    assert stored is not None
    assert (stored.operation.id, stored.later) == ("op-1", {}), "power is another kind than maintenance"
    assert process.journal.to_retry(PLACE, "ACMD") is None
    assert process.journal.to_retry("elsewhere", "ACME") is None
    assert process.journal.to_retry(PLACE, "ACME", "op-9") is None
    process.create("op-3", Action.STOP_MAINTENANCE)
    process.finish("op-3")
    assert process.journal.to_retry(PLACE, "ACME") is None
    named = process.journal.to_retry(PLACE, "ACME", "op-1")
    assert named is not None
    assert {later.operation_id for later in named.later.values()} == {"op-3"}


def test_a_failed_migration_is_rolled_back(
    process: JournalProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process.create()
    process.journal.close()
    with monkeypatch.context() as patch:
        broken = ("ALTER TABLE operations ADD COLUMN note TEXT", "SELECT nonsense")
        patch.setattr(schema, "VERSIONS", (*schema.VERSIONS, broken))
        message = rf"^the journal {tmp_path}/journal.db cannot be used: no such column: \W?nonsense"
        with pytest.raises(JournalError, match=message):
            JournalProcess(tmp_path / "journal.db").journal.load("op-1")
    assert JournalProcess(tmp_path / "journal.db").journal.load("op-1").operation.summary() == {"planned": 3}


def test_another_programs_database_is_refused_and_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE recipes (name)")
    db.close()
    path.chmod(0o600)
    before = path.read_bytes()
    process = JournalProcess(path)
    with pytest.raises(
        JournalDamaged, match=rf"^{path} is not a journal of Pitstop; choose another file, or"
    ) as caught:
        process.create()
    assert process.journal.database.problem == str(caught.value)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"not a database at all, but long enough to look at" * 40, None])
def test_a_damaged_journal_is_reported_and_unchanged(
    process: JournalProcess, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "journal.db"
    process.create()
    process.journal.close()
    whole = path.read_bytes()
    path.write_bytes(content if content is not None else whole[:4096] + b"\xff" * (len(whole) - 4096))
    before = path.read_bytes()
    with pytest.raises(JournalDamaged, match=rf"^the journal {tmp_path}/journal.db {DAMAGED}$"):
        JournalProcess(path).create("op-2")
    assert path.read_bytes() == before


def test_the_report_of_damage_tells_what_sqlite_found(process: JournalProcess, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    process.create()
    process.journal.close()
    whole = path.read_bytes()
    pages = len(whole) // 4096
    path.write_bytes(whole[:28] + (pages + 1).to_bytes(4, "big") + whole[32:] + bytes(4096))
    with pytest.raises(JournalDamaged, match=rf"^the journal {path} is damaged \(Page {pages + 1}.* never"):
        JournalProcess(path).journal.load("op-1")
    path.write_bytes(whole)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        db.execute("UPDATE clock SET id = 1")
    with pytest.raises(JournalDamaged, match=rf"^the journal {path} is damaged \(CHECK constraint failed"):
        JournalProcess(path).journal.load("op-1")


def use(path: Path) -> None:
    """Read all that a start reads from a journal, and create an operation."""
    process = JournalProcess(path, pid=2, alive=lambda pid: False)
    journal = process.journal
    try:
        for operation_id in journal.unfinished(PLACE, "ACME"):
            claim(journal, operation_id)
            journal.load(operation_id)
            journal.changes(operation_id, 0)
        journal.unfinished_everywhere()
        journal.windows(PLACE, "ACME")
        journal.maintenance_steps(PLACE, "ACME")
        journal.prior_targets(PLACE, "ACME")
        journal.durations(Action.START_MAINTENANCE, range(10))
        process.create("op-3", ids=OTHERS)
    finally:
        journal.close()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE targets SET state = 'p|anned'",
        "UPDATE targets SET server = CAST(x'ff41' AS TEXT)",
        "UPDATE operations SET action = 'startMaintunance'",
        "UPDATE operations SET owner = '{'",
        "UPDATE operations SET heartbeat = 'soon'",
        "UPDATE windows SET opened = 'now'",
    ],
)
def test_values_that_pitstop_never_writes_are_reported_as_damage(
    process: JournalProcess, tmp_path: Path, change: str
) -> None:
    process.create()
    process.journal.close()
    with contextlib.closing(sqlite3.connect(tmp_path / "journal.db")) as db, db:
        db.execute(change)
    with pytest.raises(JournalDamaged, match=rf"^the journal {tmp_path}/journal.db {DAMAGED}$"):
        use(tmp_path / "journal.db")


@pytest.mark.parametrize("seed", range(4))
def test_a_flipped_bit_is_either_read_or_reported(process: JournalProcess, tmp_path: Path, seed: int) -> None:
    plan = process.create()
    process.journal.record_intent(
        "op-1", plan.batches[0], [Target(id_, State.SUBMITTING, 5.0) for id_ in IDS[:2]]
    )
    record(process.journal, "op-1", [Target("WA1A", State.QUEUED, 6.0, "wa1-7", "hello")])
    process.journal.close()
    path = tmp_path / "journal.db"
    whole = path.read_bytes()
    choose = random.Random(seed)
    written = [at for at, byte in enumerate(whole) if byte]
    for _ in range(50):
        flipped = bytearray(whole)
        flipped[choose.choice(written)] ^= 1 << choose.randrange(8)
        for file in tmp_path.glob("journal.db*"):
            file.unlink()
        path.write_bytes(flipped)
        path.chmod(0o600)
        with contextlib.suppress(JournalError):
            use(path)


def fill_disk(of: JournalWriter) -> Callable[[], object]:
    """Fill the disk; the function returned makes room again."""
    with of.database.reading() as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages}")
    connection = of.database.connect()
    return lambda: connection.execute("PRAGMA max_page_count = 1000000")


def test_a_full_disk_refuses_new_intents_and_transitions_are_written_later(
    process: JournalProcess, tmp_path: Path
) -> None:
    problems: list[str] = []
    process.journal.database.on_problem = problems.append
    plan = process.create()
    process.journal.record_intent("op-1", plan.batches[0], [Target(id_, State.SUBMITTING) for id_ in IDS[:2]])
    make_room = fill_disk(process.journal)
    long = "x" * 5_000
    full = rf"^the journal {tmp_path}/journal.db cannot be written: the disk is full; make room$"
    with pytest.raises(JournalError, match=full):
        process.create("op-2" + long, ids=OTHERS)
    record(process.journal, "op-1", [Target("WA1A", State.QUEUED, 1.0, "wa1-1", long)])
    record(process.journal, "op-1", [Target("WA1A", State.VERIFIED, 2.0, "wa1-1", long)])
    with pytest.raises(JournalError, match=full):
        process.journal.record_intent("op-1", plan.batches[1], [Target("DE1A", State.SUBMITTING)])
    assert process.journal.load("op-1").operation.targets["WA1A"].state is State.SUBMITTING
    make_room()
    process.journal.heartbeat()
    assert [t.state for t in process.journal.changes("op-1", 0)[0]][2:] == [State.QUEUED, State.VERIFIED]
    assert [bool(problem) for problem in problems] == [True, False], "reported once each way"


def test_a_read_only_journal_is_reported(
    process: JournalProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process.create()
    process.journal.close()
    connect = sqlite3.connect

    def read_only(path: Path, **options: object) -> sqlite3.Connection:
        return connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)

    monkeypatch.setattr(sqlite3, "connect", read_only)
    message = rf"^the journal {tmp_path}/journal.db cannot be written: no permission, or a read-only disk$"
    with pytest.raises(JournalError, match=message):
        JournalProcess(tmp_path / "journal.db").create("op-2")


def sqlite_error(name: str) -> sqlite3.Error:
    error = sqlite3.OperationalError("that went wrong")
    error.sqlite_errorname = name
    return error


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (sqlite_error("SQLITE_FULL"), "cannot be written: the disk is full; make room"),
        (sqlite_error("SQLITE_READONLY_DBMOVED"), "cannot be written: no permission, or a read-only disk"),
        (sqlite_error("SQLITE_CANTOPEN"), "cannot be written: no permission, or a read-only disk"),
        (sqlite_error("SQLITE_PERM"), "cannot be written: no permission, or a read-only disk"),
        (sqlite_error("SQLITE_AUTH"), "cannot be written: no permission, or a read-only disk"),
        (sqlite_error("SQLITE_BUSY"), "is held by another program for too long; close that one"),
        (sqlite_error("SQLITE_LOCKED"), "is held by another program for too long; close that one"),
        (sqlite_error("SQLITE_CORRUPT"), "is damaged (that went wrong); move it away to begin a new one"),
        (sqlite_error("SQLITE_NOTADB"), "is damaged (that went wrong); move it away to begin a new one"),
        (sqlite_error("SQLITE_IOERR"), "cannot be used: that went wrong"),
        (sqlite3.InterfaceError("without a code"), "cannot be used: without a code"),
        (OSError(5, "Input/output error"), "cannot be used: Input/output error"),
        (OSError("without a number"), "cannot be used: without a number"),
        (ValueError("no state\nnamed x"), "is damaged (no state); move it away to begin a new one"),
    ],
)
def test_every_error_is_explained_with_the_journals_path(
    process: JournalProcess, error: Exception, message: str
) -> None:
    of = process.journal.database
    with pytest.raises(JournalError) as caught, of.reading():
        raise error
    assert str(caught.value) == of.problem == f"the journal {of.path} {message}"
    assert isinstance(caught.value, JournalDamaged) is ("is damaged" in message)


def test_values_that_make_no_sense_are_logged_with_their_origin(
    process: JournalProcess, caplog: pytest.LogCaptureFixture
) -> None:
    error = ValueError("no state")
    with pytest.raises(JournalDamaged), process.journal.database.reading():
        raise error
    (record,) = caplog.records
    assert record.getMessage() == f"{process.journal.database.path} holds what makes no sense"
    assert record.exc_info is not None
    assert record.exc_info[1] is error


def test_what_was_kept_is_written_once_at_the_latest_by_the_close(
    process: JournalProcess, tmp_path: Path
) -> None:
    process.journal.record_duration(Action.PAUSE, 1, 10.0)
    process.journal.close()
    process.journal.record_duration(Action.PAUSE, 1, 20.0)
    process.journal.heartbeat()
    process.journal.heartbeat()
    process.journal.close()
    process.journal.close()
    later = JournalProcess(tmp_path / "journal.db")
    assert later.journal.durations(Action.PAUSE, range(1, 2)) == [20.0, 10.0]


def test_a_journal_is_used_again_as_soon_as_it_is_repaired(process: JournalProcess, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    problems: list[str] = []
    process.create()
    process.journal.close()
    whole = path.read_bytes()
    process.journal.database.on_problem = problems.append
    path.write_bytes(b"not a database at all" * 400)
    for _ in range(2):
        with pytest.raises(JournalDamaged, match="file is not a database"):
            process.journal.load("op-1")
    process.journal.end_all([("op-1", 50.0)])
    process.journal.record_duration(Action.PAUSE, 1, 10.0)
    process.journal.close()
    assert problems == [process.journal.database.problem] != [""]
    path.write_bytes(whole)
    assert process.journal.load("op-1").operation.ended is None
    process.journal.heartbeat()
    assert (len(problems), process.journal.database.problem) == (2, "")
    assert process.journal.liveness("op-1") == (50.0, False)
    assert process.journal.durations(Action.PAUSE, range(1, 2)) == [10.0]


def test_all_reads_of_a_transaction_see_the_same_state(process: JournalProcess, tmp_path: Path) -> None:
    process.create()
    other = JournalProcess(tmp_path / "journal.db", pid=2)
    count = "SELECT count(*) FROM operations"
    with process.journal.database.reading() as db:
        before = db.execute(count).fetchone()[0]
        other.create("op-2", ids=OTHERS)
        assert (before, db.execute(count).fetchone()[0]) == (1, 1)
    with process.journal.database.reading() as db:
        assert db.execute(count).fetchone()[0] == 2
    with contextlib.suppress(ZeroDivisionError), process.journal.database.writing() as db:
        db.execute("DELETE FROM operations")
        raise ZeroDivisionError
    assert process.operation_ids() == ["op-1", "op-2"]


def test_a_journal_locked_by_another_program_is_reported(
    process: JournalProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT", 0.01)
    process.create()
    other = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(
        JournalError, match=rf"^the journal {tmp_path}/journal.db is held by another program for "
    ):
        process.create("op-2", ids=OTHERS)
    other.execute("ROLLBACK")
    process.create("op-2", ids=OTHERS)
    other.close()


def test_writes_that_can_be_deferred_wait_once_for_a_lasting_lock(
    process: JournalProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise an exit would take seconds for each pending write."""
    monkeypatch.setattr(database, "BUSY_TIMEOUT", 0.01)
    process.create()
    with closing(sqlite3.connect(tmp_path / "journal.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        record(process.journal, "op-1", [Target("WA1A", State.QUEUED, 1.0)])
        monkeypatch.setattr(database, "BUSY_TIMEOUT", 1e6)
        record(process.journal, "op-1", [Target("WA1A", State.EXECUTING, 2.0)])
        process.journal.heartbeat()
        process.journal.release(["op-1"])
        process.journal.close()
        other.execute("ROLLBACK")
        process.journal.heartbeat()
    assert [target.state for target in process.journal.changes("op-1", 0)[0]] == [
        State.QUEUED,
        State.EXECUTING,
    ]


def test_an_operation_has_one_living_owner_at_a_time(process: JournalProcess, tmp_path: Path) -> None:
    dead: set[int] = set()
    plan = process.create()
    other = JournalProcess(tmp_path / "journal.db", pid=2, alive=lambda pid: pid not in dead)
    assert not claim(other.journal, "op-1")
    dead.add(1)
    assert claim(other.journal, "op-1")
    with pytest.raises(OwnershipLost):
        process.journal.record_intent(
            "op-1", plan.batches[0], [Target(id_, State.SUBMITTING) for id_ in IDS[:2]]
        )
    assert not record(process.journal, "op-1", [Target("WA1A", State.CANCELLED)])
    process.journal.end_all([("op-1", 5.0)])
    assert other.journal.load("op-1").operation.summary() == {"planned": 3}
    assert other.journal.load("op-1").operation.ended is None
    other.journal.release(["op-1"])
    assert claim(process.journal, "op-1")


def test_a_new_claim_by_the_same_owner_ends_its_earlier_claim(tmp_path: Path) -> None:
    """A recreated container has the host name and process id of the one before, which may only be frozen."""
    process = JournalProcess(tmp_path / "journal.db")
    process.create()
    again = JournalProcess(tmp_path / "journal.db")
    assert claim(again.journal, "op-1")
    again.journal.check_may_send("op-1")
    with pytest.raises(OwnershipLost):
        process.journal.check_may_send("op-1")
    assert not record(process.journal, "op-1", [Target("WA1A", State.CANCELLED)])
    process.journal.release(["op-1"])
    again.journal.check_may_send("op-1")


def test_only_a_claim_gives_the_right_to_an_operation(process: JournalProcess, tmp_path: Path) -> None:
    process.create()
    process.create("op-2", ids=OTHERS)
    same_owner = JournalProcess(tmp_path / "journal.db")
    with pytest.raises(OwnershipLost, match=TAKEN_OVER):
        same_owner.journal.check_may_send("op-1")
    process.journal.check_may_send("op-1")
    for _ in range(2):  # The second time it is not its own any more.
        process.journal.release(["op-1"])
        process.journal.end_all([("op-2", process.time)])
        process.time += 10
    assert process.journal.claims == {}
    assert process.journal.liveness("op-1") == (None, False)
    assert process.journal.liveness("op-2") == (1_000.0, False)
    with pytest.raises(OwnershipLost):
        process.journal.check_may_send("op-1")


def test_a_stop_requested_by_another_console_holds_until_the_next_claim(
    process: JournalProcess, tmp_path: Path
) -> None:
    plan = process.create()
    process.create("op-2", ids=OTHERS)
    other = JournalProcess(tmp_path / "journal.db", pid=2, alive=lambda pid: False)
    other.create("op-3", ids=("WA1E",))
    for id_ in ("op-1", "op-3"):
        other.journal.request_stop(id_)
    assert process.journal.stop_requests() == ["op-1"], "only its own"
    message = "^stopped from another Pitstop of yours$"
    with pytest.raises(StopRequested, match=message):
        process.journal.check_may_send("op-1")
    with pytest.raises(StopRequested, match=message):
        process.journal.record_intent("op-1", plan.batches[0], [Target("WA1A", State.SUBMITTING)])
    process.journal.check_may_send("op-2")
    assert process.journal.changes("op-1", 0) == ([], 0)
    assert claim(other.journal, "op-1")
    other.journal.check_may_send("op-1")
    assert process.journal.stop_requests() == []
    other.journal.end_all([("op-1", other.time)])
    other.journal.request_stop("op-1")
    assert other.journal.stop_requests() == ["op-3"], "an ended operation has nothing to stop"


@pytest.mark.parametrize("state", list(State))
def test_servers_under_way_cannot_be_in_a_second_operation(
    process: JournalProcess, tmp_path: Path, state: State
) -> None:
    process.create()
    record(process.journal, "op-1", [Target("WA1B", state)])
    dead: set[int] = set()
    other = JournalProcess(tmp_path / "journal.db", pid=2, alive=lambda pid: pid not in dead)
    with pytest.raises(ServersBusy, match="WA1A"):
        other.create("op-2")
    dead.add(1)  # Nobody sends what it had planned now; what it had sent is still under way.
    if state in IN_FLIGHT | {State.UNSURE}:
        with pytest.raises(ServersBusy, match="WA1B: still under way in another operation"):
            other.create("op-2")
    else:
        other.create("op-2")


OTHER_CONSOLE = """
import pathlib, sys
from tui.engine.journal.writer import JournalWriter
from tui.model.operation import Action, Operation
from tui.model.plan import Batch, Plan
from tui.model.prior import DOUBT_LASTS, PriorTarget
from tui.model.window import Window

journal = JournalWriter(pathlib.Path(sys.argv[1]))
plan = Plan(Action.PAUSE, (Batch(0, 0, "WA1", ("WA1A",)),))
window = Window("win-1", sys.argv[2], "ACME", "op", 0.0)
journal.create(Operation("op-1", plan.action, plan.server_ids), plan, window, was_in_maintenance={})
print("created", flush=True)
sys.stdin.read()
"""


def test_an_operation_can_be_claimed_only_after_its_process_was_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OTHER_CONSOLE, str(tmp_path / "journal.db"), PLACE]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"created\n"
        mine = JournalWriter(tmp_path / "journal.db")
        assert mine.load("op-1").elsewhere
        assert mine.liveness("op-1") == (None, True)
        assert not claim(mine, "op-1")
        other.kill()
        other.wait()
        assert mine.liveness("op-1") == (None, False)
        assert claim(mine, "op-1")
        mine.close()


def test_deferred_writes_are_dropped_when_the_operation_was_lost(
    process: JournalProcess, tmp_path: Path
) -> None:
    process.create()
    make_room = fill_disk(process.journal)
    record(process.journal, "op-1", [Target("WA1A", State.CANCELLED, message="x" * 5_000)])
    other = JournalProcess(tmp_path / "journal.db", pid=2, alive=lambda pid: False)
    assert claim(other.journal, "op-1")
    make_room()
    process.journal.heartbeat()
    assert other.journal.load("op-1").operation.summary() == {"planned": 3}


def test_a_journal_that_another_process_is_just_creating_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.db"

    class Slow(sqlite3.Connection):
        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            if "sqlite_master" in sql:  # The last check of whose file it is.
                other = sqlite3.connect(path, isolation_level=None, timeout=0)
                with contextlib.closing(other), contextlib.suppress(sqlite3.OperationalError):
                    database.migrate(other)
            return super().execute(sql, *parameters)

    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Slow))
    JournalProcess(path).create()


def test_the_change_to_wal_waits_for_another_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "journal.db"
    waits: list[float] = []
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        def sleep(seconds: float) -> None:
            waits.append(seconds)
            other.execute("ROLLBACK")

        monkeypatch.setattr("tui.engine.journal.database.time.sleep", sleep)
        JournalProcess(path).create()
    assert waits == [0.01]
    assert pragma(JournalProcess(path).journal, "journal_mode") == "wal"


def test_the_change_to_wal_does_not_wait_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT", 0.01)
    path = tmp_path / "journal.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match="is held by another program for too long"):
            JournalProcess(path).create()
        other.execute("ROLLBACK")
    JournalProcess(path).create()


def test_a_journal_is_checked_once_and_migrated_only_when_it_is_older(
    process: JournalProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process.create()
    statements: list[str] = []

    class Recorded(sqlite3.Connection):
        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            statements.append(sql)
            return super().execute(sql, *parameters)

    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Recorded))
    later = JournalProcess(tmp_path / "journal.db").journal
    for _ in range(2):
        later.load("op-1")
        later.database.disconnect()
    assert statements.count("BEGIN IMMEDIATE") == 2, "to prune, at each opening"
    assert [sql for sql in statements if "quick_check" in sql] == ["PRAGMA quick_check(1)"]


def _open_and_write(path: Path, number: int, gate: Barrier) -> None:
    gate.wait()
    process = JournalProcess(path, pid=number)
    for count in range(5):
        process.create(f"op-{number}-{count}", ids=tuple(f"{number}-{count}-{n}" for n in range(3)))
    process.journal.close()


def test_several_processes_create_the_journal_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    path = tmp_path / "state" / "journal.db"
    gate = context.Barrier(4)
    processes = [context.Process(target=_open_and_write, args=(path, number, gate)) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    assert len(JournalProcess(path).journal.unfinished(PLACE, "ACME")) == 20


def test_durations_of_similar_jobs_are_kept(process: JournalProcess) -> None:
    for servers, seconds in ((4, 10.0), (7, 20.0), (8, 30.0)):
        process.journal.record_duration(Action.START_MAINTENANCE, servers, seconds)
    process.journal.record_duration(Action.STOP_MAINTENANCE, 4, 40.0)
    process.journal.heartbeat()
    assert sorted(process.journal.durations(Action.START_MAINTENANCE, range(4, 8))) == [10.0, 20.0]


def test_the_newest_durations_are_returned_and_none_without_a_journal(
    process: JournalProcess, tmp_path: Path
) -> None:
    for number in range(205):
        process.journal.record_duration(Action.PAUSE, 4, float(number))
    process.journal.record_duration(Action.PAUSE, 8, 999.0)
    process.journal.heartbeat()
    newest = [float(n) for n in range(204, 4, -1)]
    assert process.journal.durations(Action.PAUSE, range(4, 8)) == newest
    assert process.journal.all_durations() == {(Action.PAUSE, 4): newest, (Action.PAUSE, 8): [999.0]}
    process.journal.close()
    (tmp_path / "journal.db").write_bytes(b"damaged" * 1_000)
    assert JournalProcess(tmp_path / "journal.db").journal.durations(Action.PAUSE, range(4, 8)) == []
    assert JournalProcess(tmp_path / "journal.db").journal.all_durations() == {}


def test_maintenance_steps_show_what_a_window_left_in_maintenance(process: JournalProcess) -> None:
    process.create()
    process.finish("op-1")
    assert process.journal.maintenance_steps(PLACE, "ACME") == [
        MaintenanceStep("win-1", "WA1A", Action.START_MAINTENANCE, State.VERIFIED, False),
        MaintenanceStep("win-1", "DE1A", Action.START_MAINTENANCE, State.VERIFIED, None),
    ]
    assert process.journal.maintenance_steps(PLACE, "ACMD") == []
    process.journal.history.close("win-1", leave="later")
    assert [window.closed for window in process.journal.windows(PLACE, "ACME")] == [process.time]
    assert process.journal.operations("win-1") == ["op-1"]


CREATED = st.tuples(
    st.sampled_from([Action.START_MAINTENANCE, Action.STOP_MAINTENANCE, Action.PAUSE]),
    st.sampled_from(["ACME", "EMCA"]),
    st.sampled_from([None, False, True]),
)
OUTCOMES = st.tuples(st.integers(0, 4), st.sampled_from(IDS[:2]), st.sampled_from(list(State)))


@given(created=st.lists(CREATED, min_size=1, max_size=5), outcomes=st.lists(OUTCOMES, max_size=25))
@settings(max_examples=60, deadline=None)
def test_the_held_table_gives_the_same_result_as_the_whole_history(
    created: list[tuple[Action, str, bool | None]], outcomes: list[tuple[int, str, State]]
) -> None:
    with memory_directory() as directory, closing(JournalWriter(Path(directory) / "journal.db")) as journal:
        for number, (action, account, before) in enumerate(created):
            id_ = f"op-{number}"
            window = Window(f"win-{account}-{number % 2}", PLACE, account, "op", 0.0)
            plan = Plan(action, (Batch(0, 0, "WA1", IDS[:2]),))
            operation = Operation(id_, action, IDS[:2])
            journal.create(operation, plan, window, was_in_maintenance=dict.fromkeys(IDS[:2], before))
            # So that the next one may be created; its outcomes are written all the same.
            journal.end_all([(id_, 0.0)])
        with journal.database.writing() as db:
            final = ("refused", "failed", "cancelled", "verified")
            db.executemany(
                "INSERT INTO outcomes (target, state, at, job, message)"
                " SELECT targets.key, ?3, 0, '', ''"
                " FROM targets JOIN operations ON operations.key = operation"
                f" WHERE id = ?1 AND server = ?2 AND state NOT IN {final}",
                [(f"op-{number % len(created)}", server, state) for number, server, state in outcomes],
            )
        for account in ("ACME", "EMCA"):
            everything = all_steps(journal, account)
            steps = journal.maintenance_steps(PLACE, account)
            assert held_in_maintenance(steps) == held_in_maintenance(everything)
        as_it_was = {account: journal.maintenance_steps(PLACE, account) for account in ("ACME", "EMCA")}
        with journal.database.writing() as db:  # As the migration from the version before fills the table.
            db.execute("DELETE FROM held")
            for statement in schema.VERSIONS[2]:
                if "held" in statement and not statement.startswith("CREATE"):
                    db.execute(statement)
        for account, held in as_it_was.items():
            assert held_in_maintenance(journal.maintenance_steps(PLACE, account)) == held_in_maintenance(held)


def all_steps(of: JournalWriter, account: str) -> list[MaintenanceStep]:
    with of.database.reading() as db:
        rows = db.execute(
            "SELECT window, server, action, targets.state, was_in_maintenance FROM targets"
            " JOIN operations ON operations.key = operation JOIN windows ON windows.id = window"
            " WHERE account = ? ORDER BY targets.key",
            (account,),
        ).fetchall()
    return [
        MaintenanceStep(
            window, server, Action(action), State(state), None if before is None else bool(before)
        )
        for window, server, action, state, before in rows
    ]


def test_an_operation_costs_the_same_however_long_the_history_is(process: JournalProcess) -> None:
    """Costs are steps of SQLite's virtual machine; no operation is pruned meanwhile."""
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1

    def one(number: int) -> int:
        nonlocal steps
        steps = 0
        action = (Action.START_MAINTENANCE, Action.STOP_MAINTENANCE)[number % 2]
        new = Window(f"win-{number}", PLACE, "ACME", "op", process.time, f"CHG-{number}")
        process.journal.history.window_of(new, named=False)
        plan = process.create(f"op-{number}", action, f"win-{number}")
        process.journal.record_intent(f"op-{number}", plan.batches[0], [Target("WA1A", State.SUBMITTING)])
        record(process.journal, f"op-{number}", [Target(id_, State.QUEUED) for id_ in IDS])
        process.journal.heartbeat()
        process.journal.stop_requests()
        process.finish(f"op-{number}")
        process.journal.maintenance_steps(PLACE, "ACME")
        process.journal.unfinished(PLACE, "ACME")
        return steps

    process.journal.windows(PLACE, "ACME")
    connection = process.journal.database.connect()
    connection.set_progress_handler(step, 1)
    costs = [one(number) for number in range(90)]
    assert costs[80:90] == pytest.approx(costs[10:20], rel=0.05)


def test_old_ended_operations_are_pruned_unfinished_and_needed_ones_never(
    process: JournalProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "KEEP_OPERATIONS", 2)
    monkeypatch.setattr(retention, "KEEP_DURATIONS", 3)
    process.create("unfinished", ids=OTHERS)
    process.create("left-in-maintenance")
    process.finish("left-in-maintenance")
    for number in range(4):
        process.create(f"cancelled-{number}", window=f"win-{number}")
        process.finish(f"cancelled-{number}", State.CANCELLED)
        process.journal.record_duration(Action.PAUSE, 1, float(number))
        process.journal.record_duration(Action.PAUSE, 1, float(number))
    process.journal.close()
    later = JournalProcess(tmp_path / "journal.db")
    assert later.operation_ids() == ["unfinished", "left-in-maintenance", "cancelled-2", "cancelled-3"]
    assert later.journal.durations(Action.PAUSE, range(1, 2)) == [3.0, 3.0, 2.0]
    later.journal.close()
    for days in (1, limits.KEEP_DAYS + 2, limits.KEEP_DAYS + 4):
        much_later = JournalProcess(tmp_path / "journal.db")
        much_later.time += days * DAY
        much_later.up += days * DAY
        operation_ids = much_later.operation_ids()
        much_later.journal.close()
    assert operation_ids == ["unfinished", "left-in-maintenance"]
    assert [window.id for window in much_later.journal.windows(PLACE, "ACME")] == ["win-1"]


def test_a_wrong_clock_prunes_nothing(process: JournalProcess, tmp_path: Path) -> None:
    for number in range(6):
        process.create(f"op-{number}", window=f"win-{number}")
        process.finish(f"op-{number}", State.CANCELLED)
    process.journal.close()
    for _ in range(3):
        wrong = JournalProcess(tmp_path / "journal.db")
        wrong.time += 120 * DAY
        assert len(wrong.operation_ids()) == 6
        wrong.journal.close()
    rebooted = JournalProcess(tmp_path / "journal.db")
    rebooted.time += 120 * DAY
    rebooted.boot = "boot-2"
    assert len(rebooted.operation_ids()) == 6
    rebooted.journal.close()
    right = JournalProcess(tmp_path / "journal.db")
    right.boot = "boot-3"
    right.time += DAY
    assert len(right.operation_ids()) == 6


def test_a_clock_is_believed_a_day_after_it_was_first_read(process: JournalProcess, tmp_path: Path) -> None:
    process.create()
    process.finish("op-1", State.CANCELLED)
    process.journal.close()
    found = []
    for days, up in ((120.0, 120.0), (120.9, 120.9), (121.0, 120.9), (121.0, 121.0)):
        later = JournalProcess(tmp_path / "journal.db")
        later.time += days * DAY
        later.up += up * DAY
        found.append(later.operation_ids())
        later.journal.close()
    assert found == [["op-1"], ["op-1"], ["op-1"], []]


def test_a_window_is_forgotten_long_after_its_operations(
    process: JournalProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "KEEP_OPERATIONS", 1)
    for number in range(2):
        process.create(f"op-{number}", window=f"win-{number}")
        process.finish(f"op-{number}", State.CANCELLED)
    process.create("unfinished", window="win-2")
    process.journal.close()
    seen: list[tuple[float, list[str]]] = []
    notes: list[str] = []
    for days in (2, 4, 92, 94):
        later = JournalProcess(tmp_path / "journal.db")
        later.time += days * DAY
        later.up += days * DAY
        later.journal.database.on_note = notes.append
        seen.append((days, [window.id for window in later.journal.windows(PLACE, "ACME")]))
        later.journal.close()
    assert seen == [
        (2, ["win-0", "win-1", "win-2"]),
        (4, ["win-0", "win-1", "win-2"]),
        (92, ["win-0", "win-1", "win-2"]),
        (94, ["win-2"]),
    ]
    assert notes == 2 * [
        "The journal forgot 1 operation that ended on 1970-01-01: it keeps 90 days and 1,000"
    ]


@pytest.mark.parametrize(("state", "kept"), [(State.SUCCEEDED, False), (State.FAILED, True)])
def test_a_reboot_that_succeeded_is_settled(
    process: JournalProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: State, *, kept: bool
) -> None:
    monkeypatch.setattr(limits, "KEEP_OPERATIONS", 1)
    process.create("reboot", Action.REBOOT)
    process.finish("reboot", state)
    process.create("newer", ids=OTHERS)
    record(process.journal, "newer", [Target(id_, State.CANCELLED, 5.0) for id_ in OTHERS])
    process.journal.end_all([("newer", 5.0)])
    process.journal.close()
    assert ("reboot" in JournalProcess(tmp_path / "journal.db").operation_ids()) == kept


def test_without_a_stored_clock_the_newest_row_gives_the_time(
    process: JournalProcess, tmp_path: Path
) -> None:
    process.create()
    process.finish("op-1", State.CANCELLED)
    with process.journal.database.writing() as db:
        db.execute("DELETE FROM clock")
    process.journal.close()
    wrong = JournalProcess(tmp_path / "journal.db")
    wrong.time += 120 * DAY
    assert wrong.operation_ids() == ["op-1"]


@pytest.mark.parametrize("state", [State.UNSURE, State.FAILED, State.SUCCEEDED])
def test_an_unreconciled_operation_is_kept_until_a_later_one_is_verified(
    process: JournalProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: State
) -> None:
    monkeypatch.setattr(limits, "KEEP_OPERATIONS", 1)
    stop = Action.STOP_MAINTENANCE
    process.create("in-doubt", stop)
    process.finish("in-doubt", state)
    process.create("verified", stop, ids=OTHERS)
    record(process.journal, "verified", [Target(id_, State.VERIFIED, 5.0) for id_ in OTHERS])
    process.journal.end_all([("verified", 5.0)])
    for number, action in enumerate((stop, Action.PAUSE)):
        process.create(f"not-in-the-way-{number}", action)
        process.finish(f"not-in-the-way-{number}", (State.REFUSED, State.VERIFIED)[number])
    process.journal.close()
    later = JournalProcess(tmp_path / "journal.db")
    assert later.operation_ids() == ["in-doubt", "not-in-the-way-1"]
    later.create("again", stop)
    later.finish("again")
    later.journal.close()
    assert JournalProcess(tmp_path / "journal.db").operation_ids() == ["again"]


def test_pruning_is_logged_and_reported(
    process: JournalProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(limits, "KEEP_OPERATIONS", 1)
    for number in range(3):
        process.create(f"op-{number}")
        process.finish(f"op-{number}", State.CANCELLED)
        process.time += DAY
    process.journal.close()
    later = JournalProcess(tmp_path / "journal.db")
    notes: list[str] = []
    later.journal.database.on_note = notes.append
    assert later.operation_ids() == ["op-2"]
    assert len(notes) == 1
    assert notes[0].startswith("The journal forgot 2 operations that ended between 1970-01-01 and 1970-01-02")
    assert [record.getMessage() for record in caplog.records] == [f"{tmp_path}/journal.db: {notes[0]}"]


def test_a_long_running_process_prunes_as_it_goes(
    process: JournalProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "KEEP_OPERATIONS", 5)
    monkeypatch.setattr(journal, "PRUNE_EVERY", 10)
    for number in range(40):
        process.create(f"op-{number}")
        process.finish(f"op-{number}", State.CANCELLED)
    assert len(process.journal.operations("win-1")) == 5


def test_a_large_journal_is_pruned_after_a_tenth_more_operations(
    process: JournalProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "KEEP_OPERATIONS", 35)
    monkeypatch.setattr(journal, "PRUNE_EVERY", 1)
    process.create("unfinished", ids=OTHERS)
    pruned = []
    for number in range(1, 46):
        process.create(f"op-{number}")
        process.journal.database.on_note = lambda note, number=number: pruned.append((number, note[:32]))
        process.finish(f"op-{number}", State.CANCELLED)
    assert pruned == [(number, "The journal forgot 3 operations ") for number in (38, 41, 44)]


def test_an_operation_ends_although_the_journal_cannot_be_pruned(
    process: JournalProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "PRUNE_EVERY", 1)
    monkeypatch.setattr(database, "BUSY_TIMEOUT", 0.01)
    process.create()
    with closing(sqlite3.connect(tmp_path / "journal.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        process.journal.end_all([("op-1", 50.0)])
        other.execute("ROLLBACK")
    process.journal.heartbeat()
    assert process.journal.liveness("op-1") == (50.0, False)


def test_messages_that_keep_changing_do_not_grow_the_journal(process: JournalProcess) -> None:
    plan = process.create()
    process.journal.record_intent("op-1", plan.batches[0], [Target(id_, State.SUBMITTING) for id_ in IDS[:2]])
    record(process.journal, "op-1", [Target(id_, State.QUEUED, 1.0, "wa1-1") for id_ in IDS[:2]])
    _, newest = process.journal.changes("op-1", 0)
    pages = set()
    for number in range(40):
        target = Target("WA1A", State.EXECUTING, 2.0 + number, "wa1-1", f"{number} " + 4_000 * "w")
        record(process.journal, "op-1", [target])
        seen, newest = process.journal.changes("op-1", newest)
        assert seen == [target], "a watching process sees each"
        pages.add(pragma(process.journal, "page_count") if number > 2 else 0)
    assert len(pages - {0}) == 1
    changes, _ = process.journal.changes("op-1", 0)
    assert [target.state for target in changes if target.server_id == "WA1A"] == [
        State.SUBMITTING,
        State.QUEUED,
        State.EXECUTING,
    ]


class Written(NamedTuple):
    """A journal's files with a long WAL, and the transitions of each server, in order."""

    database: bytes
    log: bytes
    histories: list[list[Target]]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    path = tmp_path_factory.mktemp("written") / "journal.db"
    process = JournalProcess(path)
    plan = process.create()
    process.journal.record_intent(
        "op-1", plan.batches[0], [Target(id_, State.SUBMITTING, 1.0) for id_ in IDS[:2]]
    )
    for step, state in enumerate((State.QUEUED, State.EXECUTING, State.SUCCEEDED, State.VERIFIED)):
        record(process.journal, "op-1", [Target(id_, state, 2.0 + step, "wa1-1") for id_ in IDS[:2]])
    process.journal.record_intent("op-1", plan.batches[1], [Target("DE1A", State.SUBMITTING, 7.0)])
    record(process.journal, "op-1", [Target("DE1A", State.UNSURE, 8.0)])
    changes, _ = process.journal.changes("op-1", 0)
    histories = [[t for t in changes if t.server_id == id_] for id_ in IDS]
    found = Written(path.read_bytes(), Path(f"{path}-wal").read_bytes(), histories)
    process.journal.close()
    return found


@given(part=st.floats(0, 1))
@settings(max_examples=60)
def test_a_journal_cut_off_at_any_write_opens_and_is_consistent(written: Written, part: float) -> None:
    with memory_directory() as directory:
        path = Path(directory) / "journal.db"
        path.write_bytes(written.database)
        Path(f"{path}-wal").write_bytes(written.log[: int(len(written.log) * part)])
        process = JournalProcess(path)
        if not process.journal.unfinished(PLACE, "ACME"):
            process.journal.close()
            return
        operation = process.journal.load("op-1").operation
        process.journal.close()
        for history in written.histories:
            target = operation.targets[history[0].server_id]
            assert target.state is State.PLANNED or target in history
        assert len({operation.targets[id_].state for id_ in IDS[:2]}) == 1, "a transaction is all or nothing"
