"""The selection of marked servers."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tui.model.selection import Selection

IDS = [f"S{number}" for number in range(12)]
SOME = st.lists(st.sampled_from([*IDS, "UNKNOWN"]), max_size=6)


class Marks(RuleBasedStateMachine):
    """After any steps the selection equals a plain set, and undo returns to the sets before."""

    def __init__(self) -> None:
        super().__init__()
        self.roster = list(IDS)
        self.selection = Selection(self.roster)
        self.past: list[set[str]] = []
        self.expected: set[str] = set()

    def expect(self, expected: set[str]) -> None:
        if expected != self.expected:
            self.past.append(self.expected)
        self.expected = expected

    @rule(ids=SOME)
    def mark(self, ids: list[str]) -> None:
        new = set(ids) & set(self.roster)
        assert self.selection.mark(ids) == len(new - self.expected)
        self.expect(self.expected | new)

    @rule(ids=SOME)
    def unmark(self, ids: list[str]) -> None:
        assert self.selection.mark(ids, on=False) == len(self.expected & set(ids))
        self.expect(self.expected - set(ids))

    @rule(id_=st.sampled_from(IDS))
    def toggle(self, id_: str) -> None:
        on = self.selection.toggle(id_)
        wanted = self.expected ^ ({id_} & set(self.roster))
        assert on is (id_ not in self.expected)
        self.expect(wanted)

    @rule(start=st.integers(0, 12), stop=st.integers(0, 12))
    def invert_range(self, start: int, stop: int) -> None:
        rows = range(len(self.roster))[start:stop]
        self.selection.invert_rows(rows)
        self.expect(self.expected ^ {self.roster[row] for row in rows})

    @rule(data=st.data())
    def invert_rows(self, data: st.DataObject) -> None:
        rows = data.draw(st.lists(st.integers(0, len(self.roster) - 1), unique=True)) if self.roster else []
        self.selection.invert_rows(rows)
        self.expect(self.expected ^ {self.roster[row] for row in rows})

    @rule(start=st.integers(0, 12), stop=st.integers(0, 12))
    def mark_range(self, start: int, stop: int) -> None:
        rows = range(len(self.roster))[start:stop]
        self.selection.mark_rows(rows)
        self.expect(self.expected | {self.roster[row] for row in rows})

    @rule()
    def clear(self) -> None:
        assert self.selection.clear() == len(self.expected)
        self.expect(set())

    @rule()
    def undo(self) -> None:
        assert self.selection.can_undo is bool(self.past)
        back = self.past.pop() if self.past else self.expected
        assert self.selection.undo() == len(back ^ self.expected)
        self.expected = back

    @rule(start=st.integers(0, 11), stop=st.integers(0, 11))
    def draw_a_range(self, start: int, stop: int) -> None:
        before = self.selection.snapshot()
        for end in (stop, start):  # there and back again: only the last counts
            self.selection.restore(before)
            rows = range(len(self.roster))[min(start, end) : max(start, end) + 1]
            self.selection.draw_rows(rows)
        self.selection.settle(before)
        self.expect(self.expected | {self.roster[row] for row in rows})

    @rule(ids=st.lists(st.sampled_from(IDS), unique=True))
    def refresh(self, ids: list[str]) -> None:
        if ids == self.roster:
            return
        removed = self.selection.rebase(ids)
        assert set(removed) == self.expected - set(ids)
        self.roster = ids
        self.expected &= set(ids)
        self.past = [past & set(ids) for past in self.past[-1:]]

    @invariant()
    def equals_the_expected_set(self) -> None:
        assert set(self.selection) == self.expected
        assert len(self.selection) == len(self.expected)
        assert list(self.selection) == [id_ for id_ in self.roster if id_ in self.expected]
        assert all((id_ in self.selection) is (id_ in self.expected) for id_ in [*IDS, "UNKNOWN"])
        mask = bytes(row % 2 for row in range(len(self.roster)))
        assert self.selection.count_rows(mask) == len(self.expected & set(self.roster[1::2]))


def test_a_drawn_range_is_one_change() -> None:
    selection = Selection(IDS)
    before = selection.snapshot()
    selection.draw_rows(range(2, 5))
    assert not selection.can_undo
    assert selection.settle(before) == 3
    assert (selection.undo(), len(selection)) == (3, 0)
    assert selection.settle(before[1:]) == 0, "the roster changed meanwhile"
    assert not selection.can_undo


def test_every_other_row_can_be_marked_and_inverted() -> None:
    selection = Selection(IDS[:4])
    assert selection.mark_rows(range(0, 4, 2)) == 2
    assert list(selection) == ["S0", "S2"]
    assert selection.invert_rows(range(1, 4, 2)) == 2
    assert list(selection) == ["S0", "S1", "S2", "S3"]
    assert selection.invert_rows(range(2, 0, -1)) == 2
    assert list(selection) == ["S0", "S3"]


def test_the_same_roster_keeps_marks_and_history() -> None:
    selection = Selection(IDS)
    selection.mark(["S1", "S2"])
    selection.mark(["S1"], on=False)
    assert selection.rebase(list(IDS)) == []
    assert list(selection) == ["S2"]
    selection.undo()
    selection.undo()
    assert len(selection) == 0


def test_data_centers_that_a_rule_lacked_are_noted_until_nothing_is_marked() -> None:
    selection = Selection(IDS)

    def missing() -> str:
        return " ".join(selection.missing)

    selection.by_rule("web", ("UC1",))
    assert not missing(), "nothing is marked"
    selection.mark(["S1"])
    selection.by_rule("web", ("UC1", "DE1"))
    selection.mark(["S2"])
    selection.by_rule("db", ("DE1", "NY1"))
    assert missing() == "UC1 DE1 NY1"
    selection.by_rule("web", ())
    assert missing() == "DE1 NY1"
    selection.mark(["S3"])
    selection.rebase(IDS[1:])
    assert missing() == "DE1 NY1"
    selection.clear()
    assert not missing()
    selection.undo()
    assert missing() == "DE1 NY1"


TestMarks = Marks.TestCase
TestMarks.settings = settings(max_examples=60, stateful_step_count=25)
