"""The pause between repeated attempts."""


def doubling_pause(failures: int, jitter: float, *, base: float, cap: float) -> float:
    """Seconds to wait after ``failures`` failed attempts in a row (from 1): doubles from ``base`` to ``cap``.

    ``jitter``, a random number from 0 up to 1, shortens the pause by up to a half, so that many clients do
    not repeat at the same moment.
    """
    return min(base * 2.0 ** min(failures - 1, 30), cap) * (1 - jitter / 2)
