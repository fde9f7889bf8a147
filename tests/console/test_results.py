"""Results as they arrive: progress, order, following, failures first."""

import pytest

from tests.console.conftest import Console, OpenConsole
from tui.console.screens.ask import AskScreen
from tui.console.screens.quit import QuitScreen
from tui.console.screens.servers import ServersScreen
from tui.console.widgets.progress import bar
from tui.console.widgets.results import Results
from tui.model.operation import State


async def started(c: Console, keys: tuple[str, ...] = ("a", "s", "enter", "y")) -> Results:
    """Start maintenance on all that can take it."""
    await c.press(*keys)
    await c.until(lambda: c.servers.results.line_count())
    return c.servers.results


def listed(c: Console) -> list[str]:
    """The ids in the results, from the top."""
    results = c.servers.results
    targets = [results.target(index) for index in range(results.line_count())]
    return [target.server_id for target in targets if target]


async def test_each_server_has_its_state_job_time_and_message(console: OpenConsole) -> None:
    async with console(6) as c:
        await started(c)
        c.engine.progress("op-1", State.SUBMITTING)
        c.engine.progress("op-1", State.QUEUED, after=2)
        c.engine.progress(
            "op-1", State.REFUSED, ["WA1ACMEWEB002"], after=3, message="the operation cannot be queued [now]"
        )
        await c.until(lambda: "refused" in c.text())
        (line,) = [line for line in c.text().splitlines() if "cannot be queued [now]" in line]
        assert "⊘ refused   WA1ACMEWEB002  wa1-12345" in line
        assert "4 server" not in line
        assert "3 queued" in c.text()
        assert "1 refused" in c.text()


async def test_the_list_shows_the_states_too(console: OpenConsole) -> None:
    async with console(6) as c:
        await started(c)
        c.engine.progress("op-1", State.SUBMITTING)
        c.engine.progress("op-1", State.QUEUED)
        c.engine.progress("op-1", State.EXECUTING)
        await c.until(lambda: c.text().split("Results")[0].count("▸ running") == 4)


async def test_the_end_is_told_with_the_counts(console: OpenConsole) -> None:
    async with console(6) as c:
        await started(c)
        for state in (State.SUBMITTING, State.QUEUED, State.VERIFIED):
            c.engine.progress("op-1", state)
        c.engine.end("op-1", after=65)
        await c.until(c.told)
        assert c.told() == ["Start maintenance: 4 verified"]
        assert "1:05" in c.text()


async def test_what_changed_last_is_last(console: OpenConsole) -> None:
    async with console(6) as c:
        await started(c)
        before = listed(c)
        c.engine.progress("op-1", State.SUBMITTING, before[:1])
        await c.until(lambda: listed(c) == [*before[1:], before[0]])


async def test_going_up_stops_following_and_the_end_takes_it_up(console: OpenConsole) -> None:
    async with console(60, size=(100, 30)) as c:
        results = await started(c, ("a", "s", "enter", *"60", "enter", "y"))
        results.focus()
        await c.until(lambda: results.cursor == 57)
        assert results.following
        await c.press("up", "up")
        assert not results.following
        before = listed(c)
        c.engine.progress("op-1", State.SUBMITTING, before[:30])
        await c.until(lambda: "+30 new" in c.text())
        assert listed(c) == before, "what is being read stays where it is"
        await c.press("end")
        assert results.following
        assert listed(c)[-1] == before[29]
        assert "+30 new" not in c.text()


async def test_follow_is_a_key_too(console: OpenConsole) -> None:
    async with console(6) as c:
        results = await started(c)
        await c.press("l")
        assert not results.following
        await c.press("l")
        assert results.following


async def test_failures_first_and_back(console: OpenConsole) -> None:
    async with console(6) as c:
        results = await started(c)
        ids = listed(c)
        c.engine.progress("op-1", State.SUBMITTING)
        c.engine.progress("op-1", State.QUEUED)
        c.engine.progress("op-1", State.VERIFIED, [ids[0], ids[2]])
        c.engine.progress("op-1", State.FAILED, [ids[1]])
        await c.until(lambda: "1 failed" in c.text())
        await c.press("f")
        assert listed(c) == [ids[1], ids[3], ids[0], ids[2]]
        assert results.cursor == 0
        c.engine.progress("op-1", State.FAILED, [ids[3]])
        await c.until(lambda: "2 failed" in c.text())
        assert set(listed(c)[:2]) == {ids[1], ids[3]}
        await c.press("f")
        assert listed(c)[-1] == ids[3]


async def test_another_operation_is_listed_on_request(console: OpenConsole) -> None:
    async with console(6) as c:
        results = await started(c)
        first = listed(c)
        c.engine.progress("op-1", State.VERIFIED)
        c.engine.end("op-1")
        await c.until(lambda: not c.store.running())
        await c.press("u", "s", "enter", "y")
        await c.until(lambda: len(c.engine.operations) == 2 and results.line_count() == 1)
        assert "2 of 2 operations" in c.text()
        await c.press("o")
        assert listed(c) == first
        assert "1 of 2 operations" in c.text()


async def test_only_lines_that_differ_are_drawn(console: OpenConsole) -> None:
    async with console(60, size=(120, 40)) as c:
        results = await started(c, ("a", "s", "enter", *"60", "enter", "y"))
        c.engine.progress("op-1", State.SUBMITTING)
        await c.until(lambda: "58 sending" in c.text())
        drawn = results.lines_drawn
        last = listed(c)[-1]
        c.engine.progress("op-1", State.QUEUED, [last])
        await c.until(lambda: "1 queued" in c.text())
        assert results.lines_drawn - drawn == 1


async def test_thousands_of_results_draw_what_is_seen_only(console: OpenConsole) -> None:
    async with console(3000, size=(120, 40)) as c:
        results = await started(c, ("a", "s", "enter", *"3000", "enter", "y"))
        drawn = results.lines_drawn
        for state in (State.SUBMITTING, State.QUEUED, State.EXECUTING, State.VERIFIED):
            c.engine.progress("op-1", state)
            await c.until(lambda state=state: not c.engine.untaken)  # type: ignore[misc]
        c.engine.end("op-1")
        await c.until(c.told)
        assert results.lines_drawn - drawn <= 5 * results.page


async def test_results_can_be_marked_and_opened(console: OpenConsole) -> None:
    async with console(6) as c:
        results = await started(c)
        await c.press("u")
        results.focus()
        await c.press("home", "space", "enter")
        assert c.marked() == [listed(c)[0]]
        await c.until(lambda: c.engine.asked_for("read_details") == [(listed(c)[1],)])


async def test_cancelling_asks_and_stops_what_is_not_sent(console: OpenConsole) -> None:
    async with console(6) as c:
        await started(c)
        c.engine.progress("op-1", State.SUBMITTING, listed(c)[:1])
        await c.until(lambda: "1 sending" in c.text())
        await c.press("X")
        assert "leaving 3 servers alone?" in c.text()
        await c.press("enter")
        assert not c.engine.asked_for("cancel")
        await c.press("X", "y")
        assert c.engine.asked_for("cancel") == [("op-1",)]


async def test_what_was_left_unsent_is_sent_after_asking(console: OpenConsole) -> None:
    async with console(6) as c:
        await started(c)
        c.engine.end("op-1")
        await c.until(lambda: c.servers.command_context.interrupted_unsent == 4)
        await c.press("ctrl+p", *"send the rest", "enter")
        assert isinstance(c.app.screen, AskScreen)
        await c.press("y")
        assert c.engine.asked_for("resume") == [(False,), (True,)]


async def test_leaving_while_something_runs_asks(console: OpenConsole) -> None:
    async with console(6) as c:
        await started(c)
        c.engine.progress("op-1", State.SUBMITTING, listed(c)[:1])
        await c.until(lambda: "1 sending" in c.text())
        await c.press("q")
        assert isinstance(c.app.screen, QuitScreen)
        assert "1 server: sent and not settled" in c.text()
        assert "3 servers: not sent yet" in c.text()
        await c.press("enter")
        assert isinstance(c.app.screen, ServersScreen)
        await c.press("q", "escape", "q", "y")
        assert c.leaving()


async def test_nothing_ticks_when_nothing_runs(console: OpenConsole) -> None:
    async with console(6) as c:
        results = await started(c)
        assert results.ticking
        c.engine.end("op-1")
        await c.until(lambda: not results.ticking)


async def test_before_the_first_operation_it_says_how_to_begin(console: OpenConsole) -> None:
    async with console() as c:
        assert "s starts maintenance" in c.text()
        assert c.servers.results.size.height == 2


@pytest.mark.parametrize(
    ("well", "bad", "total", "cells"),
    [
        (0, 0, 9, (0, 0)),
        (1, 0, 1000, (0, 0)),
        (999, 0, 1000, (19, 0)),
        (998, 1, 1000, (18, 1)),
        (9, 0, 9, (20, 0)),
        (999, 1, 1000, (19, 1)),
        (0, 9, 9, (0, 20)),
        (0, 0, 0, (20, 0)),
    ],
)
def test_a_bar_is_full_only_at_the_end_and_shows_what_is_bad(
    well: int, bad: int, total: int, cells: tuple[int, int]
) -> None:
    green, red, rest = bar(well, bad, total, 20)
    assert (len(green), len(red)) == cells
    assert len(green + red + rest) == 20


async def test_a_key_in_the_empty_results_says_where_the_list_is(console: OpenConsole) -> None:
    async with console(12) as c:
        c.servers.results.focus()
        await c.press("s")
        assert c.app.screen is c.servers
        assert (
            "the results, where the focus is, name none: shift+tab goes to the list"
            in c.text().splitlines()[0]
        )
        await c.press("shift+tab")
        assert c.app.focused is c.servers.servers
