"""The pause between repeated attempts."""

from hypothesis import given
from hypothesis import strategies as st

from tui.model.backoff import doubling_pause


def test_the_pause_doubles_up_to_the_cap() -> None:
    pauses = [doubling_pause(failures, 0.0, base=0.5, cap=8.0) for failures in range(1, 8)]
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]
    assert doubling_pause(10**9, 0.0, base=0.5, cap=8.0) == 8.0


@given(st.integers(1, 100), st.floats(0, 1))
def test_jitter_shortens_the_pause_by_at_most_half(failures: int, jitter: float) -> None:
    whole = doubling_pause(failures, 0.0, base=1.0, cap=30.0)
    assert doubling_pause(failures, 1.0, base=1.0, cap=30.0) == whole / 2
    assert whole / 2 <= doubling_pause(failures, jitter, base=1.0, cap=30.0) <= whole
