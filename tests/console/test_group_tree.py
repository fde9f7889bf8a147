"""The tree of groups."""

import msgspec

from tests.console.list_host import GROUPS, ListHost, fleet_of, lines, replace, server
from tui.console.widgets.group_tree import GroupTree
from tui.model.fleet import Fleet
from tui.model.group import DataCenter, Group


def tree(count: int = 12) -> GroupTree:
    return GroupTree(fleet_of(server(number) for number in range(1, count + 1)))


async def test_each_group_counts_the_servers_below_it() -> None:
    app = ListHost(tree())
    async with app.run_test(size=(40, 12)) as pilot:
        widget = app.query_one(GroupTree)
        assert [line.split() for line in lines(widget)[1:5]] == [
            ["▌", "All", "servers", "12", "4"],
            ["▾", "WA1", "Hardware", "12", "4"],
            ["Mail", "3", "1"],
            ["▸", "Web", "9", "3"],
        ]
        await pilot.press("end", "right")
        assert [line.split() for line in lines(widget)[4:7]] == [
            ["▌", "▾", "Web", "9", "3"],
            ["Prod", "3", "1"],
            ["Test", "3", "1"],
        ]


async def test_left_folds_a_group_or_moves_to_its_parent() -> None:
    app = ListHost(tree())
    async with app.run_test(size=(40, 12)) as pilot:
        widget = app.query_one(GroupTree)
        await pilot.press("end", "right", "right", "down")
        assert widget.branches[widget.cursor].group == GROUPS[3]
        await pilot.press("left")
        assert widget.branches[widget.cursor].group == GROUPS[1]
        await pilot.press("left")
        assert widget.line_count() == 4
        await pilot.press("left", "left", "left")
        assert (widget.cursor, widget.line_count()) == (0, 2)


async def test_choosing_and_marking_a_group_post_messages() -> None:
    app = ListHost(tree())
    async with app.run_test(size=(40, 12)) as pilot:
        widget = app.query_one(GroupTree)
        await pilot.press("down", "down", "enter", "space")
        assert app.last(GroupTree.Chosen).group_id == "g3"
        assert app.last(GroupTree.Marked).group_id == "g3"
        assert lines(widget)[3].startswith("▌●")
        await pilot.press("enter")
        assert app.last(GroupTree.Chosen).group_id is None
        await pilot.click(GroupTree, offset=(12, 4))
        assert app.last(GroupTree.Chosen).group_id == "g0"
        await pilot.click(GroupTree, offset=(4, 4))
        assert widget.line_count() == 6


async def test_a_refresh_keeps_folds_and_cursor_and_unchooses_a_removed_group() -> None:
    app = ListHost(tree())
    async with app.run_test(size=(40, 12)) as pilot:
        widget = app.query_one(GroupTree)
        await pilot.press("end", "right", "down", "enter")
        assert widget.chosen == "g1"
        replace(widget.fleet, [server(number) for number in range(1, 41)])
        widget.reload()
        await pilot.pause()
        assert widget.branches[widget.cursor].group == GROUPS[2]
        assert [line.split()[-2] for line in lines(widget)[1:7]] == ["40", "40", "10", "30", "10", "10"]
        widget.fleet.replace(DataCenter("WA1"), GROUPS[:2], [server(4)], at=2.0)
        widget.reload()
        await pilot.pause()
        assert app.last(GroupTree.Chosen).group_id is None


async def test_many_requests_to_count_cause_one_recount() -> None:
    app = ListHost(tree())
    async with app.run_test(size=(40, 12)) as pilot:
        widget = app.query_one(GroupTree)
        drawn = widget.lines_drawn
        widget.fleet.update([msgspec.structs.replace(server(3), maintenance=False)])
        for _ in range(100):
            widget.count_soon()
        while widget.in_maintenance[""] != 3:
            await pilot.pause(0.05)
        await pilot.pause()
        assert widget.lines_drawn == drawn + 3  # all, the root, and the group itself


async def test_of_thousands_of_groups_only_the_visible_are_drawn() -> None:
    fleet = Fleet("ACME")
    groups = [Group("root", "Root", "WA1", None, "Root")]
    groups += [Group(f"g{i}", f"Group {i}", "WA1", f"g{i // 10}" if i >= 10 else "root") for i in range(5000)]
    fleet.replace(DataCenter("WA1"), groups, [server(1, group_id="g4999")], at=1.0)
    app = ListHost(GroupTree(fleet))
    async with app.run_test(size=(40, 12)) as pilot:
        widget = app.query_one(GroupTree)
        await pilot.press("end", "right", "right")
        assert widget.totals["root"] == widget.totals[""] == 1
        assert widget.lines_drawn < 60


async def test_groups_in_a_cycle_of_parents_are_left_out() -> None:
    fleet = fleet_of([server(1, group_id="a")])
    groups = [
        Group("a", "A", "WA1", "b"),
        Group("b", "B", "WA1", "a"),
        Group("c", "[red]C\x1b[2J", "WA1", "missing"),
    ]
    fleet.replace(DataCenter("WA1"), groups, [server(1, group_id="a")], at=1.0)
    app = ListHost(GroupTree(fleet))
    async with app.run_test(size=(40, 12)):
        widget = app.query_one(GroupTree)
        assert [branch.group.id for branch in widget.branches if branch.group] == ["c"]
        assert "[red]C\ufffd[2J" in lines(widget)[2]


async def test_large_counts_stay_separated() -> None:
    widget = tree()
    app = ListHost(widget)
    async with app.run_test(size=(34, 12)) as pilot:
        widget.totals.update({"": 100_000, "root": 100_000})
        widget.in_maintenance.update({"": 16_535, "root": 16_535})
        await pilot.press("down")
        shown = lines(widget)
        assert shown[0].split() == ["Groups", "all", "maint"]
        for line in shown[1:3]:
            assert line.split()[-2:] in (["100,012", "16,539"],), line
            assert "100,012  16,539" in line


async def test_the_heading_stays_aligned_when_counts_grow() -> None:
    widget = tree()
    app = ListHost(widget)
    async with app.run_test(size=(60, 12)) as pilot:
        replace(widget.fleet, (server(number, maintenance=True) for number in range(1, 11_000)))
        widget.count_soon()
        for _ in range(200):
            if "10,999" in lines(widget)[1]:
                break
            await pilot.pause(0.05)
        heading, first = (line.rstrip() for line in lines(widget)[:2])
        assert len(heading) == len(first)
        assert heading.index("all") + 3 == first.index("10,999") + 6
