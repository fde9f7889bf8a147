"""The first line, at every width that the console is drawn at."""

from collections.abc import Callable, Iterator
from itertools import product

import pytest

from tests.console.conftest import OpenConsole
from tests.console.scripted import CENTER, GROUPS, NOW, REAL, SANDBOX, fleet_of
from tui.console.store import Store
from tui.console.widgets import status_bar
from tui.console.widgets.status_bar import Weight, lighten, parts, status
from tui.engine import events
from tui.engine.endpoint import Endpoint

WIDTHS = (60, 61, 80, 100, 120, 200)
TROUBLES = ("link", "paused", "journal", "incomplete", "failed", "old", "yours")
SAID = {
    "link": ("no answer",),
    "paused": ("asked to wait until ", "waiting"),
    "journal": ("journal not written", "no journal"),
    "incomplete": ("incomplete",),
    "failed": ("reading failed", "not read"),
    "old": ("over 1 h ago", "old data"),
    "yours": ("of yours", " yours"),
}
LONG = Endpoint("production-of-the-north", "https://api.example.net")


def store(
    *troubles: str,
    endpoint: Endpoint = REAL,
    user: str = "demo",
    account: str = "ACME",
    readonly: bool = False,
) -> Store:
    """Logged in, 70 servers read, and these troubles."""
    now = NOW + (3700 if "old" in troubles else 60)
    made = Store(clock=lambda: now, readonly=readonly)
    made.endpoint = endpoint
    happened: list[events.Event] = [
        events.LoggedIn(user, account, ("ServerAdmin",), endpoint.name),
        events.DataCenterRead(CENTER, GROUPS, fleet_of(70), NOW),
        events.FleetRead(("WA1",), (), NOW),
        events.Latency(0.034),
    ]
    if "link" in troubles:
        happened.append(events.LinkChanged(events.Link.DOWN, "the endpoint does not answer", NOW))
    if "paused" in troubles:
        happened.append(events.PauseRequested(now + 300))
    if "journal" in troubles:
        happened.append(events.JournalChanged("the disk is full"))
    if "incomplete" in troubles:
        happened += [events.DataCenterFailed("VA1", "timed out"), events.DataCenterFailed("NY1", "timed out")]
    if "failed" in troubles:
        happened.append(events.FleetFailed("timed out"))
    if "yours" in troubles:
        happened.append(events.HeldInMaintenance(("WA1ACMEWEB003",)))
    made.apply(happened)
    return made


def situations() -> Iterator[tuple[set[str], Store, str]]:
    """Every combination of troubles, with the shortest and the longest of everything else."""
    for flags in product((False, True), repeat=len(TROUBLES)):
        troubles = {trouble for trouble, on in zip(TROUBLES, flags, strict=True) if on}
        yield troubles, store(*troubles), ""
        yield (
            troubles,
            store(
                *troubles,
                endpoint=LONG,
                user="operations@north.example.com",
                account="ACME-NORTH",
                readonly=True,
            ),
            "CHG-4711 kernel update of all web servers of the north",
        )


@pytest.mark.parametrize("width", WIDTHS)
def test_trouble_is_said_at_every_width(width: int) -> None:
    for troubles, shown, reason in situations():
        line = status(shown, reason, width)
        assert line.cell_length == width
        unsaid = {"failed"} if "incomplete" in troubles else set()
        unsaid |= {"link"} if "paused" in troubles else set()
        for trouble in troubles - unsaid:
            assert any(said in line.plain for said in SAID[trouble]), (trouble, line.plain)


def test_the_lightest_gives_way_first() -> None:
    found = list(parts(store("link", readonly=True), "CHG-4711"))
    gone = []
    while found:
        fewer = lighten(found)
        if len(fewer) < len(found):
            gone.append(next(part.weight for part in found if part not in fewer))
        found = fewer
    assert gone == sorted(gone)
    assert gone[0] is Weight.NAME
    assert gone[-1] is Weight.TROUBLE


def test_at_80_columns_trouble_and_the_ticket_stay_beside_where_one_is() -> None:
    line = status(store("link", "journal", readonly=True), "CHG-4711", 80).plain
    assert "no answer" in line
    assert "journal not written" in line
    assert "read-only" in line
    assert "CHG-4711" in line
    assert "ACME · prod" in line


@pytest.mark.parametrize("width", [80, 120])
def test_without_trouble_everything_is_there(width: int) -> None:
    line = status(store(endpoint=SANDBOX), "", width).plain
    for said in ("pitstop", "ACME · demo ·  sandbox", "1 in maintenance", "30 ms", "read "):
        assert said in line


def test_old_data_is_trouble_also_while_it_is_read_again() -> None:
    shown = store("old")
    shown.reading = True
    assert "over 1 h ago" in status(shown, "", 80).plain


def test_an_endpoint_that_answers_with_errors_is_told_from_one_that_does_not_answer() -> None:
    made = store()
    made.apply([events.LinkChanged(events.Link.FAILING, "it failed (500)", NOW)])
    line = status(made, "", 120).plain
    assert "○ answers with errors" in line
    assert "no answer" not in line
    assert "●" not in line


def test_a_pause_that_was_asked_for_is_said_until_it_is_over() -> None:
    made = store("paused")
    assert "asked to wait until" in status(made, "", 120).plain
    made.clock = lambda: NOW + 360
    assert "wait" not in status(made, "", 120).plain


def test_why_a_key_does_nothing_is_said_whole_beside_trouble_at_80_columns() -> None:
    said = "Start maintenance: no server is shown"
    line = status(store("link", "incomplete"), "CHG-1", 80, said).plain
    assert said in line
    assert "no answer" in line
    assert "incomplete" in line


async def test_when_a_pause_is_over_the_line_is_drawn_without_it(
    console: OpenConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    due: list[tuple[float, Callable[[], object]]] = []
    monkeypatch.setattr(status_bar, "later", lambda node, seconds, callback: due.append((seconds, callback)))
    async with console() as c:
        c.engine.tell(events.PauseRequested(NOW + 300))
        await c.until(lambda: "asked to wait until" in c.text().splitlines()[0])
        ((seconds, over),) = due
        assert seconds == 300
        c.store.clock = lambda: NOW + 300
        over()
        await c.until(lambda: "wait" not in c.text().splitlines()[0])
