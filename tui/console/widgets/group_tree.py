"""The tree of groups, with the number of servers below each and of those in maintenance."""

from collections import Counter
from collections.abc import Hashable
from typing import NamedTuple

from rich.segment import Segment
from textual import events
from textual.binding import Binding
from textual.message import Message

from tui.cells import fit
from tui.console.later import later
from tui.console.widgets.line_list import LineList
from tui.model.fleet import Fleet
from tui.model.group import Group
from tui.model.listing.ordering import natural_key

GAP = 2
"""Cells before each figure at least."""


class Branch(NamedTuple):
    """One line of the tree."""

    group: Group | None
    """None on the first line: all servers."""
    depth: int
    has_children: bool


class GroupTree(LineList):
    """The tree: Enter restricts the list to a group and all below, space marks its servers, arrows fold."""

    class Chosen(Message):
        """Show only the servers below this group; None for all."""

        def __init__(self, group_id: str | None) -> None:
            super().__init__()
            self.group_id = group_id

    class Marked(Message):
        """Mark the servers below this group, or unmark them if all are marked; None for all servers."""

        def __init__(self, group_id: str | None) -> None:
            super().__init__()
            self.group_id = group_id

    BINDINGS = [
        Binding("enter", "choose", "Show only this group", show=False),
        Binding("space", "mark_group", "Mark the servers of this group", show=False),
        Binding("right", "open_branch", "Unfold", show=False),
        Binding("left", "close_branch", "Fold", show=False),
    ]

    heading = 1
    gutter_width = 2

    def __init__(self, fleet: Fleet, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.fleet = fleet
        self.chosen: str | None = None
        self.branches: list[Branch] = [Branch(None, 0, False)]
        self.totals: Counter[str] = Counter()
        self.in_maintenance: Counter[str] = Counter()
        self._below: dict[str | None, list[Group]] = {}
        self._open: set[str] = set()
        self._known_roots: set[str] = set()
        self._counting = False
        self._read_groups()

    def reload(self) -> None:
        """Show a fleet that was replaced or changed in bulk; folds stay, and the cursor on its group."""
        at = self.branches[self.cursor].group
        self._read_groups()
        if at is not None:
            self._go_to(at.id)
        if self.chosen is not None and self.chosen not in self.fleet.groups:
            self.choose(None)
        self.lines_changed()

    def count_soon(self) -> None:
        """Count again within a second, once however often this is called: some servers changed."""
        if not self._counting:
            self._counting = True
            later(self, 1.0, self._count_again)

    def choose(self, group_id: str | None) -> None:
        """Restrict the list to a group; None ends the restriction."""
        before, self.chosen = self.chosen, group_id
        for index in self.seen():
            group = self.branches[index].group
            if (group.id if group else None) in (before, group_id):
                self.refresh_gutter(index)
        self.post_message(self.Chosen(group_id))

    # -- actions

    def action_choose(self) -> None:
        """Restrict the list to the group under the cursor, or end the restriction."""
        group = self.branches[self.cursor].group
        wanted = group.id if group else None
        self.choose(None if wanted == self.chosen else wanted)

    def action_mark_group(self) -> None:
        """Mark or unmark the servers below the group under the cursor."""
        group = self.branches[self.cursor].group
        self.post_message(self.Marked(group.id if group else None))

    def action_open_branch(self) -> None:
        """Unfold, or go to the first group below."""
        branch = self.branches[self.cursor]
        if branch.group is None or not branch.has_children:
            return
        if branch.group.id in self._open:
            self.move_cursor(self.cursor + 1)
        else:
            self._fold(branch.group.id, unfold=True)

    def action_close_branch(self) -> None:
        """Fold, or go to the group above."""
        branch = self.branches[self.cursor]
        if branch.group is not None and branch.has_children and branch.group.id in self._open:
            self._fold(branch.group.id, unfold=False)
            return
        for index in range(self.cursor - 1, -1, -1):
            if self.branches[index].depth < branch.depth or index == 0:
                self.move_cursor(index)
                return

    def line_clicked(self, index: int, x: int, event: events.Click) -> None:
        """Fold or unfold on the sign, choose the group elsewhere."""
        self.move_cursor(index, scroll=False)
        branch = self.branches[index]
        sign = self.gutter_width + branch.depth * 2
        if branch.group is not None and branch.has_children and sign <= x <= sign + 1:
            self._fold(branch.group.id, unfold=branch.group.id not in self._open)
        else:
            self.action_choose()

    # -- drawing

    def line_count(self) -> int:
        """The number of visible groups, and one for the line of all servers."""
        return len(self.branches)

    def line_key(self, index: int) -> Hashable:
        """Another group, fold or count is another line."""
        branch = self.branches[index]
        key = branch.group.id if branch.group else ""
        return branch, key in self._open, self.totals[key], self.in_maintenance[key], self._figures()

    def draw_gutter(self, index: int) -> list[Segment]:
        """Draw the cursor, and a sign for the group that the list is restricted to."""
        group = self.branches[index].group
        chosen = "●" if self.chosen is not None and group is not None and group.id == self.chosen else " "
        return [Segment(self.cursor_sign(index) + chosen, self.style("line--cursor"))]

    def draw_body(self, index: int) -> list[Segment]:
        """Draw the indented name, the number of servers, and of those in maintenance."""
        branch = self.branches[index]
        key = branch.group.id if branch.group else ""
        name = branch.group.name if branch.group else "All servers"
        sign = ("▾ " if key in self._open else "▸ ") if branch.has_children else "  "
        count, maint = self._figures()
        text = fit(
            "  " * branch.depth + (sign if branch.group else "") + name,
            max(1, self.body_width - count - maint),
        )
        text += f"{self.totals[key]:>{count},}"
        maintenance = f"{self.in_maintenance[key]:>{maint},}" if self.in_maintenance[key] else ""
        return [Segment(text, self.base_style), Segment(maintenance, self.style("state--maintenance"))]

    def draw_heading(self, y: int) -> list[Segment]:
        """Draw the titles of the figures."""
        count, maint = self._figures()
        text = fit(" Groups", self.width - count - maint) + f"{'all':>{count}}{'maint':>{maint}}"
        return [Segment(text, self.title_style)]

    def _figures(self) -> tuple[int, int]:
        """The widths of the two columns of figures; the first line has the largest of each."""
        return (
            GAP + max(len("all"), len(f"{self.totals['']:,}")),
            GAP + max(len("maint"), len(f"{self.in_maintenance['']:,}")),
        )

    # -- within

    def _read_groups(self) -> None:
        groups = self.fleet.groups
        below: dict[str | None, list[Group]] = {}
        for group in groups.values():
            parent = group.parent_id if group.parent_id in groups else None
            below.setdefault(parent, []).append(group)
        for children in below.values():
            children.sort(key=lambda group: (group.data_center, natural_key(group.name)))
        self._below = below
        roots = {group.id for group in below.get(None, ())}
        self._open = (self._open & groups.keys()) | (roots - self._known_roots)
        self._known_roots = roots
        self._count()
        self._flatten()

    def _flatten(self) -> None:
        """Make the visible lines; each group once, even where groups form a circle."""
        branches = [Branch(None, 0, False)]
        pending = [(group, 0) for group in reversed(self._below.get(None, ()))]
        while pending:
            group, depth = pending.pop()
            children = self._below.get(group.id, ())
            branches.append(Branch(group, depth, bool(children)))
            if group.id in self._open:
                pending += [(child, depth + 1) for child in reversed(children)]
        self.branches = branches

    def _count(self) -> None:
        """Count the servers of each group and all below it; "" is the key for all."""
        own, in_maintenance = self.fleet.counts()
        self.totals, self.in_maintenance = Counter(own), Counter(in_maintenance)
        order = [group.id for group in self._below.get(None, ())]
        for id_ in order:
            order.extend(group.id for group in self._below.get(id_, ()))
        for id_ in reversed(order):
            parent = self.fleet.groups[id_].parent_id
            if parent in self.fleet.groups:
                self.totals[parent] += self.totals[id_]
                self.in_maintenance[parent] += self.in_maintenance[id_]
        self.totals[""] = sum(own.values())
        self.in_maintenance[""] = sum(in_maintenance.values())

    def _count_again(self) -> None:
        self._counting = False
        before = [self.line_key(index) for index in self.seen()]
        self._count()
        for index, key in zip(self.seen(), before, strict=True):
            if self.line_key(index) != key:
                self.refresh_line_at(index)
        self.refresh_heading(0)

    def _fold(self, group_id: str, *, unfold: bool) -> None:
        if unfold:
            self._open.add(group_id)
        else:
            self._open.discard(group_id)
        self._flatten()
        self._go_to(group_id)
        self.lines_changed()

    def _go_to(self, group_id: str) -> None:
        for index, branch in enumerate(self.branches):
            if branch.group is not None and branch.group.id == group_id:
                self.cursor = index
                return
