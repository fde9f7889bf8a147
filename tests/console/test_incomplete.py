"""What is chosen while not all data centers are read is never taken for the whole."""

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


async def half(c: Console, *, failed: bool = True) -> None:
    """The account has UC1 and DE1 too: UC1 could not be read, DE1 is being read."""
    c.engine.tell(events.DataCentersListed(("WA1", "UC1", "DE1")))
    if failed:
        c.engine.tell(events.DataCenterFailed("UC1", "the endpoint failed (500)"))
    await c.until(lambda: "1 of 3 data centers read" in c.text(), "the title says it")


def lacking(c: Console) -> tuple[str, ...]:
    """The data centers that the marks lack."""
    return c.servers.servers.selection.missing


def read(name: str, count: int = 2) -> events.DataCenterRead:
    servers = tuple(
        server(number, id=f"{name}ACMEWEB{number:02}", data_center=name, group_id=f"{name}-0")
        for number in range(1, count + 1)
    )
    group = Group(f"{name}-0", f"{name} Hardware", name, None, f"{name} Hardware")
    return events.DataCenterRead(DataCenter(name, name, f"{name}-0"), (group,), servers, NOW)


@pytest.mark.parametrize("keys", [["a"], ["i"], ["slash", *"web", "enter", "a"]])
async def test_what_a_rule_chose_must_be_confirmed_by_name_as_partial(
    console: OpenConsole, keys: list[str]
) -> None:
    async with console(4) as c:
        await half(c)
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
        assert not c.engine.asked_for("run")
        await c.press("space", *"de1", "enter", "y")
        assert len(c.engine.asked_for("run")) == 1


async def test_a_group_is_whole_when_its_own_data_center_is_read(console: OpenConsole) -> None:
    async with console(4) as c:
        await half(c)
        c.servers.groups.focus()
        await c.press("down", "down", "space")
        assert c.marked()
        assert lacking(c) == ()
        await c.press("up", "up", "space")
        assert lacking(c) == ("UC1", "DE1"), "the line of all servers"


async def test_servers_marked_by_hand_need_no_such_thing(console: OpenConsole) -> None:
    async with console(4) as c:
        await half(c)
        await c.press("space", "V", "down", "V", "s")
        assert not c.app.screen.query("#partial")
        await c.press("enter", "y")
        assert c.engine.asked_for("run")


async def test_what_comes_in_later_is_not_taken_in_silently(console: OpenConsole) -> None:
    async with console(4) as c:
        await half(c)
        await c.press("a")
        c.engine.tell(read("UC1"), read("DE1"), events.FleetRead(("WA1", "UC1", "DE1"), (), NOW))
        await c.until(lambda: c.servers.servers.line_count() == 8)
        assert "data centers read" not in c.text()
        assert len(c.marked()) == 4
        await c.press("s")
        assert c.app.screen.query("#partial")
        text = c.dialog()
        assert "UC1 has been read since; DE1 has been read since" in text
        await c.press("escape", "a", "s")
        assert not c.app.screen.query("#partial"), "the same rule again, of everything"
        assert len(c.marked()) == 8


async def test_unmarking_and_undoing_go_back_to_what_was_known(console: OpenConsole) -> None:
    async with console(4) as c:
        await c.press("space")
        await half(c)
        await c.press("a")
        assert lacking(c) == ("UC1", "DE1")
        await c.press("U")
        assert lacking(c) == ()
        await c.press("a", "u")
        assert lacking(c) == ()


async def test_all_data_centers_are_missing_when_they_cannot_be_listed(console: OpenConsole) -> None:
    async with console(4) as c:
        c.engine.tell(events.DataCentersListed(("WA1",)), events.FleetFailed("no answer"))
        await c.until(lambda: "0 of 1 data centers read" in c.text())
        await c.press("a", "s")
        assert "WA1 could not be read again: no answer" in c.dialog()


async def test_a_ticket_says_what_is_not_read_and_is_partial_only_if_names_are_unknown(
    console: OpenConsole,
) -> None:
    async with console(4) as c:
        await half(c)
        for text, missing in (("WA1ACMEDB004", ()), ("WA1ACMEWEB001 UC1ACMEWEB01", ("UC1", "DE1"))):
            c.app.screen.post_message(Paste(text))
            await c.until(lambda: "UC1 and DE1 are not read: some may only seem unknown" in c.question())
            await c.press("m")
            await c.until(lambda: isinstance(c.app.screen, ServersScreen))
            assert c.servers.servers.selection.missing == missing


async def test_the_next_try_is_said(console: OpenConsole) -> None:
    async with console(4) as c:
        c.engine.tell(
            events.DataCentersListed(("WA1", "UC1")),
            events.DataCenterFailed("UC1", "500"),
            events.FleetRead(("WA1", "UC1"), ("UC1",), NOW),
            events.RetryScheduled(NOW + 15),
        )
        await c.until(lambda: "1 of 2 data centers read, next try " in c.text())
        assert "What could not be read is tried again in 15 s" in c.told()
        c.engine.tell(
            events.FleetRead(("WA1", "UC1"), ("UC1",), NOW), events.RetryScheduled(NOW + 45), read("UC1"),
            events.FleetRead(("WA1", "UC1"), (), NOW),
        )  # fmt: skip
        await c.until(lambda: "data centers read" not in c.text())
        assert len([one for one in c.told() if "tried again" in one]) == 1


async def test_how_many_of_the_marked_are_hidden_is_asked_about(console: OpenConsole) -> None:
    async with console(12) as c:
        await c.press("a", "slash", *"db", "enter", "s")
        assert "9 of these 12 are hidden by the filter" in c.text()
        await c.press("escape", "u", "s")
        assert "hidden" not in c.text()


async def test_every_server_and_every_reason_can_be_read_in_the_question(console: OpenConsole) -> None:
    async with console(5000, size=(120, 40)) as c:
        await c.press("a", "s")
        every = c.app.screen.query_one(PlanList)
        assert every.line_count() == 5000
        every.focus()
        await c.press("end")
        await c.until(lambda: "WA1ACMEWEB005" in c.text())
        assert "skipped: not active (archived)" in c.text()
        assert "skipped: already in maintenance" in c.text()
        assert every.lines_drawn < 40
        assert not c.engine.asked_for("run")


async def test_a_reason_that_is_longer_than_its_line_is_read_below_the_list(console: OpenConsole) -> None:
    async with console(2, size=(80, 24)) as c:
        await c.press("a", "s", *"CHG-2026-000001", "enter", "y")
        await c.until(lambda: c.engine.operations)
        c.engine.progress("op-1", State.QUEUED)
        await c.until(lambda: c.store.unsettled())
        await c.press("s")
        c.app.screen.query_one(PlanList).focus()
        await c.press("down")
        assert "(CHG-2026-000001) has not ended" in c.dialog().split("WA1ACMEWEB002")[-1]


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (120, 34)])
async def test_the_answers_stay_in_sight_however_much_there_is_to_read(
    console: OpenConsole, size: tuple[int, int]
) -> None:
    async with console(60, size=size) as c:
        c.engine.tell(
            events.DataCentersListed(("WA1", "UC1")), events.DataCenterFailed("UC1", "no answer; " * 9)
        )
        await c.until(lambda: c.store.fleet.missing())
        await c.press("a", "s")
        assert "leave them alone" in c.text()
        assert "58 servers?" in c.text()
