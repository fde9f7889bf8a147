"""Servers chosen while not all data centers are read are treated as a partial choice."""

import pytest
from textual.events import Paste

from tests.console.conftest import Console, OpenConsole
from tests.console.scripted import NOW, server
from tui.console.screens.confirm import ConfirmScreen
from tui.console.screens.servers import ServersScreen
from tui.console.widgets.plan_list import PlanList
from tui.engine import events
from tui.model.group import DataCenter, Group
from tui.model.operation import State


async def read_one_of_three(c: Console, *, failed: bool = True) -> None:
    """Emit that the account has UC1 and DE1 too: UC1 could not be read, DE1 is still being read."""
    c.engine.emit(events.DataCentersListed(("WA1", "UC1", "DE1")))
    if failed:
        c.engine.emit(events.DataCenterFailed("UC1", "the endpoint failed (500)"))
    await c.until(lambda: "1 of 3 data centers read" in c.text(), "the title shows it")


def missing_data_centers(c: Console) -> tuple[str, ...]:
    """The data centers that were not read when the servers were marked."""
    return c.servers.servers.selection.missing


def center_read(name: str, count: int = 2) -> events.DataCenterRead:
    servers = tuple(
        server(number, id=f"{name}ACMEWEB{number:02}", data_center=name, group_id=f"{name}-0")
        for number in range(1, count + 1)
    )
    group = Group(f"{name}-0", f"{name} Hardware", name, None, f"{name} Hardware")
    return events.DataCenterRead(DataCenter(name, name, f"{name}-0"), (group,), servers, NOW)


@pytest.mark.parametrize("keys", [["a"], ["i"], ["slash", *"web", "enter", "a"]])
async def test_a_partial_choice_is_confirmed_by_naming_a_missing_data_center(
    console: OpenConsole, keys: list[str]
) -> None:
    async with console(4) as c:
        await read_one_of_three(c)
        await c.press(*keys)
        assert c.servers.servers.title().endswith("marked without UC1 and DE1")
        await c.press("s")
        assert isinstance(c.app.screen, ConfirmScreen)
        text = c.dialog()
        assert "Chosen without UC1 and DE1: servers there may belong to it" in text
        assert "UC1 could not be read: the endpoint failed (500); DE1 is not read yet" in text
        await c.press("enter")
        partial, yes = c.app.screen.query_one("#partial"), c.app.screen.query_one("#yes")
        await c.press(*"uc1", "enter")
        assert c.app.focused is partial
        assert yes.disabled
        c.app.screen.query_one("#no").focus()
        await c.press("y")
        assert not c.engine.calls_to("run")
        await c.press("space", *"de1", "enter", "y")
        assert len(c.engine.calls_to("run")) == 1


async def test_a_group_is_complete_when_its_own_data_center_is_read(console: OpenConsole) -> None:
    async with console(4) as c:
        await read_one_of_three(c)
        c.servers.groups.focus()
        await c.press("down", "down", "space")
        assert c.marked()
        assert missing_data_centers(c) == ()
        await c.press("up", "up", "space")
        assert missing_data_centers(c) == ("UC1", "DE1"), "the line of all servers"


async def test_servers_marked_by_hand_are_never_partial(console: OpenConsole) -> None:
    async with console(4) as c:
        await read_one_of_three(c)
        await c.press("space", "V", "down", "V", "s")
        assert not c.app.screen.query("#partial")
        await c.press("enter", "y")
        assert c.engine.calls_to("run")


async def test_servers_read_later_are_not_marked_until_the_rule_is_applied_again(
    console: OpenConsole,
) -> None:
    async with console(4) as c:
        await read_one_of_three(c)
        await c.press("a")
        c.engine.emit(
            center_read("UC1"), center_read("DE1"), events.FleetRead(("WA1", "UC1", "DE1"), (), NOW)
        )
        await c.until(lambda: c.servers.servers.line_count() == 8)
        assert "data centers read" not in c.text()
        assert len(c.marked()) == 4
        await c.press("s")
        assert c.app.screen.query("#partial")
        text = c.dialog()
        assert "UC1 has been read since; DE1 has been read since" in text
        await c.press("escape", "a", "s")
        assert not c.app.screen.query("#partial"), "the same rule again, now with all data centers read"
        assert len(c.marked()) == 8


async def test_unmarking_or_undoing_drops_the_missing_data_centers(console: OpenConsole) -> None:
    async with console(4) as c:
        await c.press("space")
        await read_one_of_three(c)
        await c.press("a")
        assert missing_data_centers(c) == ("UC1", "DE1")
        await c.press("U")
        assert missing_data_centers(c) == ()
        await c.press("a", "u")
        assert missing_data_centers(c) == ()


async def test_all_data_centers_are_missing_when_they_cannot_be_listed(console: OpenConsole) -> None:
    async with console(4) as c:
        c.engine.emit(events.DataCentersListed(("WA1",)), events.FleetFailed("no answer"))
        await c.until(lambda: "0 of 1 data centers read" in c.text())
        await c.press("a", "s")
        assert "WA1 could not be read again: no answer" in c.dialog()


async def test_a_ticket_is_partial_only_if_it_names_unknown_servers(
    console: OpenConsole,
) -> None:
    async with console(4) as c:
        await read_one_of_three(c)
        for text, missing in (("WA1ACMEDB004", ()), ("WA1ACMEWEB001 UC1ACMEWEB01", ("UC1", "DE1"))):
            c.app.screen.post_message(Paste(text))
            await c.until(lambda: "UC1 and DE1 are not read: some may only seem unknown" in c.question())
            await c.press("m")
            await c.until(lambda: isinstance(c.app.screen, ServersScreen))
            assert c.servers.servers.selection.missing == missing


async def test_the_next_retry_is_shown_and_announced_once(console: OpenConsole) -> None:
    async with console(4) as c:
        c.engine.emit(
            events.DataCentersListed(("WA1", "UC1")),
            events.DataCenterFailed("UC1", "500"),
            events.FleetRead(("WA1", "UC1"), ("UC1",), NOW),
            events.RetryScheduled(NOW + 15),
        )
        await c.until(lambda: "1 of 2 data centers read, next try " in c.text())
        assert "What could not be read is tried again in 15 s" in c.notifications()
        c.engine.emit(
            events.FleetRead(("WA1", "UC1"), ("UC1",), NOW),
            events.RetryScheduled(NOW + 45),
            center_read("UC1"),
            events.FleetRead(("WA1", "UC1"), (), NOW),
        )
        await c.until(lambda: "data centers read" not in c.text())
        assert len([one for one in c.notifications() if "tried again" in one]) == 1


async def test_the_confirmation_shows_how_many_marked_servers_are_hidden(console: OpenConsole) -> None:
    async with console(12) as c:
        await c.press("a", "slash", *"db", "enter", "s")
        assert "9 of these 12 are hidden by the filter" in c.text()
        await c.press("escape", "u", "s")
        assert "hidden" not in c.text()


async def test_the_confirmation_lists_every_server_and_every_skip_reason(console: OpenConsole) -> None:
    async with console(5000, size=(120, 40)) as c:
        await c.press("a", "s", "f2")
        every = c.app.screen.query_one(PlanList)
        assert every.line_count() == 5000
        await c.press("ctrl+end")
        await c.until(lambda: "WA1ACMEWEB005" in c.text())
        assert "skipped: not active (archived)" in c.text()
        assert "skipped: already in maintenance" in c.text()
        assert every.lines_drawn <= 2 * every.page, "those of the two pages seen"
        assert not c.engine.calls_to("run")


async def test_a_long_skip_reason_is_shown_in_full_below_the_list(console: OpenConsole) -> None:
    async with console(2, size=(80, 24)) as c:
        await c.press("a", "s", *"CHG-2026-000001", "enter", "y")
        await c.until(lambda: c.engine.operations)
        c.engine.progress("op-1", State.QUEUED)
        await c.until(lambda: c.store.unsettled())
        await c.press("s", "f2", "down")
        assert "(CHG-2026-000001) has not ended" in " ".join(c.text().split("WA1ACMEWEB002")[-1].split())


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (120, 34)])
async def test_the_answers_stay_visible_below_a_long_question(
    console: OpenConsole, size: tuple[int, int]
) -> None:
    async with console(60, size=size) as c:
        c.engine.emit(
            events.DataCentersListed(("WA1", "UC1")), events.DataCenterFailed("UC1", "no answer; " * 9)
        )
        await c.until(lambda: c.store.fleet.missing())
        await c.press("a", "s")
        assert "leave them alone" in c.text()
        assert "58 servers?" in c.text()
