"""Results as they arrive: progress, order, following, failures first."""

import pytest

from tests.console.conftest import Console, OpenConsole
from tui.console.screens.ask import AskScreen
from tui.console.screens.quit import QuitScreen
from tui.console.screens.servers import ServersScreen
from tui.console.widgets.progress import bar
from tui.console.widgets.results import Results
from tui.model.operation import State


async def start_operation(c: Console, keys: tuple[str, ...] = ("a", "s", "enter", "y")) -> Results:
    """Press keys that start an operation, by default maintenance of all eligible servers."""
    await c.press(*keys)
    await c.until(lambda: c.servers.results.line_count())
    return c.servers.results


def listed_ids(c: Console) -> list[str]:
    """The ids in the results, from top to bottom."""
    results = c.servers.results
    targets = [results.target(index) for index in range(results.line_count())]
    return [target.server_id for target in targets if target]


async def test_each_result_shows_state_job_time_and_message(console: OpenConsole) -> None:
    async with console(6) as c:
        await start_operation(c)
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


async def test_the_server_list_shows_the_states_too(console: OpenConsole) -> None:
    async with console(6) as c:
        await start_operation(c)
        c.engine.progress("op-1", State.SUBMITTING)
        c.engine.progress("op-1", State.QUEUED)
        c.engine.progress("op-1", State.EXECUTING)
        await c.until(lambda: c.text().split("Results")[0].count("▸ running") == 4)


async def test_the_end_of_an_operation_is_reported_with_its_counts(console: OpenConsole) -> None:
    async with console(6) as c:
        await start_operation(c)
        for state in (State.SUBMITTING, State.QUEUED, State.VERIFIED):
            c.engine.progress("op-1", state)
        c.engine.end("op-1", after=65)
        await c.until(c.notifications)
        assert c.notifications() == ["Start maintenance: 4 verified"]
        assert "1:05" in c.text()


async def test_the_result_that_changed_last_is_listed_last(console: OpenConsole) -> None:
    async with console(6) as c:
        await start_operation(c)
        before = listed_ids(c)
        c.engine.progress("op-1", State.SUBMITTING, before[:1])
        await c.until(lambda: listed_ids(c) == [*before[1:], before[0]])


async def test_moving_up_stops_following_and_end_resumes_it(console: OpenConsole) -> None:
    async with console(60, size=(100, 30)) as c:
        results = await start_operation(c, ("a", "s", "enter", *"60", "enter", "y"))
        results.focus()
        await c.until(lambda: results.cursor == 57)
        assert results.following
        await c.press("up", "up")
        assert not results.following
        before = listed_ids(c)
        c.engine.progress("op-1", State.SUBMITTING, before[:30])
        await c.until(lambda: "+30 new" in c.text())
        assert listed_ids(c) == before, "the lines on the screen stay in place"
        await c.press("end")
        assert results.following
        assert listed_ids(c)[-1] == before[29]
        assert "+30 new" not in c.text()


async def test_a_key_toggles_following(console: OpenConsole) -> None:
    async with console(6) as c:
        results = await start_operation(c)
        await c.press("l")
        assert not results.following
        await c.press("l")
        assert results.following


async def test_a_key_toggles_failures_first(console: OpenConsole) -> None:
    async with console(6) as c:
        results = await start_operation(c)
        ids = listed_ids(c)
        c.engine.progress("op-1", State.SUBMITTING)
        c.engine.progress("op-1", State.QUEUED)
        c.engine.progress("op-1", State.VERIFIED, [ids[0], ids[2]])
        c.engine.progress("op-1", State.FAILED, [ids[1]])
        await c.until(lambda: "1 failed" in c.text())
        await c.press("f")
        assert listed_ids(c) == [ids[1], ids[3], ids[0], ids[2]]
        assert results.cursor == 0
        c.engine.progress("op-1", State.FAILED, [ids[3]])
        await c.until(lambda: "2 failed" in c.text())
        assert set(listed_ids(c)[:2]) == {ids[1], ids[3]}
        await c.press("f")
        assert listed_ids(c)[-1] == ids[3]


async def test_another_operation_is_listed_on_request(console: OpenConsole) -> None:
    async with console(6) as c:
        results = await start_operation(c)
        first = listed_ids(c)
        c.engine.progress("op-1", State.VERIFIED)
        c.engine.end("op-1")
        await c.until(lambda: not c.store.running())
        await c.press("u", "s", "enter", "y")
        await c.until(lambda: len(c.engine.operations) == 2 and results.line_count() == 1)
        assert "2 of 2 operations" in c.text()
        await c.press("o")
        assert listed_ids(c) == first
        assert "1 of 2 operations" in c.text()


async def test_only_changed_results_are_redrawn(console: OpenConsole) -> None:
    async with console(60, size=(120, 40)) as c:
        results = await start_operation(c, ("a", "s", "enter", *"60", "enter", "y"))
        c.engine.progress("op-1", State.SUBMITTING)
        await c.until(lambda: "58 sending" in c.text())
        drawn = results.lines_drawn
        last = listed_ids(c)[-1]
        c.engine.progress("op-1", State.QUEUED, [last])
        await c.until(lambda: "1 queued" in c.text())
        assert results.lines_drawn - drawn == 1


async def test_of_thousands_of_results_only_the_visible_are_drawn(console: OpenConsole) -> None:
    async with console(3000, size=(120, 40)) as c:
        results = await start_operation(c, ("a", "s", "enter", *"3000", "enter", "y"))
        drawn = results.lines_drawn
        for state in (State.SUBMITTING, State.QUEUED, State.EXECUTING, State.VERIFIED):
            c.engine.progress("op-1", state)
            await c.until(lambda state=state: not c.engine.pending)  # type: ignore[misc]
        c.engine.end("op-1")
        await c.until(c.notifications)
        assert results.lines_drawn - drawn <= 5 * results.page


async def test_results_can_be_marked_and_opened(console: OpenConsole) -> None:
    async with console(6) as c:
        results = await start_operation(c)
        await c.press("u")
        results.focus()
        await c.press("home", "space", "enter")
        assert c.marked() == [listed_ids(c)[0]]
        await c.until(lambda: c.engine.calls_to("read_details") == [(listed_ids(c)[1],)])


async def test_cancelling_needs_a_confirmation_that_counts_unsent_servers(console: OpenConsole) -> None:
    async with console(6) as c:
        await start_operation(c)
        c.engine.progress("op-1", State.SUBMITTING, listed_ids(c)[:1])
        await c.until(lambda: "1 sending" in c.text())
        await c.press("X")
        assert "leaving 3 servers alone?" in c.text()
        await c.press("enter")
        assert not c.engine.calls_to("cancel")
        await c.press("X", "y")
        assert c.engine.calls_to("cancel") == [("op-1",)]


async def test_unsent_servers_are_sent_after_a_confirmation(console: OpenConsole) -> None:
    async with console(6) as c:
        await start_operation(c)
        c.engine.end("op-1")
        await c.until(lambda: c.servers.command_context.interrupted_unsent == 4)
        await c.press("ctrl+p", *"send the rest", "enter")
        assert isinstance(c.app.screen, AskScreen)
        await c.press("y")
        assert c.engine.calls_to("resume") == [(False,), (True,)]


async def test_quitting_during_an_operation_asks_for_confirmation(console: OpenConsole) -> None:
    async with console(6) as c:
        await start_operation(c)
        c.engine.progress("op-1", State.SUBMITTING, listed_ids(c)[:1])
        await c.until(lambda: "1 sending" in c.text())
        await c.press("q")
        assert isinstance(c.app.screen, QuitScreen)
        assert "1 server: sent and not settled" in c.text()
        assert "3 servers: not sent yet" in c.text()
        await c.press("enter")
        assert isinstance(c.app.screen, ServersScreen)
        await c.press("q", "escape", "q", "y")
        assert c.leaving()


async def test_the_results_tick_only_while_an_operation_runs(console: OpenConsole) -> None:
    async with console(6) as c:
        results = await start_operation(c)
        assert results.ticking
        c.engine.end("op-1")
        await c.until(lambda: not results.ticking)


async def test_before_the_first_operation_the_results_show_a_hint(console: OpenConsole) -> None:
    async with console() as c:
        assert "s starts maintenance" in c.text()
        assert c.servers.results.size.height == 2


@pytest.mark.parametrize(
    ("good", "bad", "total", "cells"),
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
def test_a_progress_bar_is_full_only_at_the_end_and_shows_failures(
    good: int, bad: int, total: int, cells: tuple[int, int]
) -> None:
    green, red, rest = bar(good, bad, total, 20)
    assert (len(green), len(red)) == cells
    assert len(green + red + rest) == 20


async def test_a_command_in_the_empty_results_shows_the_way_to_the_list(console: OpenConsole) -> None:
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
