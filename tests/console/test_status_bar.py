"""The status bar, at widths from the smallest terminal to a wide one."""

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
TROUBLE_TEXTS = {
    "link": ("no answer",),
    "paused": ("asked to wait until ", "waiting"),
    "journal": ("journal not written", "no journal"),
    "incomplete": ("incomplete",),
    "failed": ("reading failed", "not read"),
    "old": ("over 1 h ago", "old data"),
    "yours": ("of yours", " yours"),
}
LONG = Endpoint("production-of-the-north", "https://api.example.net")


def make_store(
    *troubles: str,
    endpoint: Endpoint = REAL,
    user: str = "demo",
    account: str = "ACME",
    readonly: bool = False,
) -> Store:
    """A store after the login, with 70 servers read and these troubles."""
    now = NOW + (3700 if "old" in troubles else 60)
    store = Store(clock=lambda: now, readonly=readonly)
    store.endpoint = endpoint
    new_events: list[events.Event] = [
        events.LoggedIn(user, account, ("ServerAdmin",), endpoint.name),
        events.DataCenterRead(CENTER, GROUPS, fleet_of(70), NOW),
        events.FleetRead(("WA1",), (), NOW),
        events.Latency(0.034),
    ]
    if "link" in troubles:
        new_events.append(events.LinkChanged(events.Link.DOWN, "the endpoint does not answer", NOW))
    if "paused" in troubles:
        new_events.append(events.PauseRequested(now + 300))
    if "journal" in troubles:
        new_events.append(events.JournalChanged("the disk is full"))
    if "incomplete" in troubles:
        new_events += [
            events.DataCenterFailed("VA1", "timed out"),
            events.DataCenterFailed("NY1", "timed out"),
        ]
    if "failed" in troubles:
        new_events.append(events.FleetFailed("timed out"))
    if "yours" in troubles:
        new_events.append(events.HeldInMaintenance(("WA1ACMEWEB003",)))
    store.apply(new_events)
    return store


def situations() -> Iterator[tuple[set[str], Store, str]]:
    """Every combination of troubles, each with the shortest and with the longest other parts."""
    for flags in product((False, True), repeat=len(TROUBLES)):
        troubles = {trouble for trouble, on in zip(TROUBLES, flags, strict=True) if on}
        yield troubles, make_store(*troubles), ""
        yield (
            troubles,
            make_store(
                *troubles,
                endpoint=LONG,
                user="operations@north.example.com",
                account="ACME-NORTH",
                readonly=True,
            ),
            "CHG-4711 kernel update of all web servers of the north",
        )


@pytest.mark.parametrize("width", WIDTHS)
def test_every_trouble_is_shown_at_every_width(width: int) -> None:
    for troubles, shown, reason in situations():
        line = status(shown, reason, width)
        assert line.cell_length == width
        left_out = {"failed"} if "incomplete" in troubles else set()
        left_out |= {"link"} if "paused" in troubles else set()
        for trouble in troubles - left_out:
            assert any(text in line.plain for text in TROUBLE_TEXTS[trouble]), (trouble, line.plain)


def test_the_part_with_the_lowest_weight_is_dropped_first() -> None:
    found = list(parts(make_store("link", readonly=True), "CHG-4711"))
    dropped = []
    while found:
        fewer = lighten(found)
        if len(fewer) < len(found):
            dropped.append(next(part.weight for part in found if part not in fewer))
        found = fewer
    assert dropped == sorted(dropped)
    assert dropped[0] is Weight.NAME
    assert dropped[-1] is Weight.TROUBLE


def test_80_columns_show_trouble_reason_account_and_endpoint() -> None:
    line = status(make_store("link", "journal", readonly=True), "CHG-4711", 80).plain
    assert "no answer" in line
    assert "journal not written" in line
    assert "read-only" in line
    assert "CHG-4711" in line
    assert "ACME · prod" in line


@pytest.mark.parametrize("width", [80, 120])
def test_without_trouble_every_part_is_shown(width: int) -> None:
    line = status(make_store(endpoint=SANDBOX), "", width).plain
    for text in ("pitstop", "ACME · demo ·  sandbox", "1 in maintenance", "30 ms", "read "):
        assert text in line


def test_old_data_is_shown_as_trouble_even_during_a_new_reading() -> None:
    shown = make_store("old")
    shown.reading = True
    assert "over 1 h ago" in status(shown, "", 80).plain


def test_answers_with_errors_are_shown_differently_from_no_answer() -> None:
    store = make_store()
    store.apply([events.LinkChanged(events.Link.FAILING, "it failed (500)", NOW)])
    line = status(store, "", 120).plain
    assert "○ answers with errors" in line
    assert "no answer" not in line
    assert "●" not in line


def test_a_requested_pause_is_shown_until_it_is_over() -> None:
    store = make_store("paused")
    assert "asked to wait until" in status(store, "", 120).plain
    store.clock = lambda: NOW + 360
    assert "wait" not in status(store, "", 120).plain


def test_the_reason_a_key_does_nothing_is_shown_in_full_beside_trouble() -> None:
    reason = "Start maintenance: no server is shown"
    line = status(make_store("link", "incomplete"), "CHG-1", 80, reason).plain
    assert reason in line
    assert "no answer" in line
    assert "incomplete" in line


async def test_the_line_is_redrawn_when_a_pause_is_over(
    console: OpenConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    timers: list[tuple[float, Callable[[], object]]] = []
    monkeypatch.setattr(
        status_bar, "later", lambda node, seconds, callback: timers.append((seconds, callback))
    )
    async with console() as c:
        c.engine.emit(events.PauseRequested(NOW + 300))
        await c.until(lambda: "asked to wait until" in c.text().splitlines()[0])
        ((seconds, redraw),) = timers
        assert seconds == 300
        c.store.clock = lambda: NOW + 300
        redraw()
        await c.until(lambda: "wait" not in c.text().splitlines()[0])
