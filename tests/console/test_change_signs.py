"""The signs beside new and changed servers of a list, and how long they stay."""

from collections.abc import Callable, Collection

import msgspec
import pytest

from tests.console.list_host import server
from tui.console.widgets import change_signs
from tui.console.widgets.change_signs import CHANGED, NEW, ChangeSigns, signs_between
from tui.model.server import Server


def signs_of(before: list[Server], after: list[Server]) -> dict[str, str]:
    return signs_between(before, {one.id: row for row, one in enumerate(before)}, after)


def test_new_and_changed_servers_have_a_sign() -> None:
    same, changing, removed = server(1), server(2), server(3)
    changed = msgspec.structs.replace(changing, power="stopped")
    new, elsewhere = server(4), server(5, data_center="VA1")
    signs = signs_of([same, changing, removed], [same, changed, new, elsewhere])
    assert signs == {changed.id: CHANGED, new.id: NEW}


def test_all_signs_expire_together_when_the_first_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    timers: list[Callable[[], None]] = []
    monkeypatch.setattr(change_signs, "later", lambda _widget, _seconds, callback: timers.append(callback))
    refreshed: list[Collection[str]] = []
    signs = ChangeSigns(None, refreshed.append)  # type: ignore[arg-type]
    signs.add({"a": NEW})
    signs.add({"a": CHANGED, "b": CHANGED})
    assert (signs.of("a"), signs.of("b"), signs.of("c")) == (CHANGED, CHANGED, " ")
    assert refreshed == [set(), {"a"}]
    (expire,) = timers[:1]
    expire()
    assert not signs
    assert refreshed[-1] == {"a", "b"}
