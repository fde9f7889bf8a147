"""`pitstop` for a sandbox whose time is scaled: `python -m tests.campaign.hurried start ...`.

The times that the program gives jobs and servers are scaled as the jobs are; nothing else is changed.
"""

import sys

TIME_SCALE = 0.03
"""Jobs of ten seconds to minutes take parts of a second to seconds."""


def main() -> int:
    """Scale the times before anything has read them, and be the program."""
    from tui.engine import options
    from tui.model import pacing

    class Hurried(options.Options, frozen=True, kw_only=True):
        failed_limit: float = 60.0 * TIME_SCALE
        unsure_least: float = 300.0 * TIME_SCALE

    options.Options = Hurried  # type: ignore[misc]
    pacing.RECORDED.update(
        {
            action: (three * TIME_SCALE, eight * TIME_SCALE)
            for action, (three, eight) in pacing.RECORDED.items()
        }
    )
    from tui.cli import main as pitstop

    return pitstop(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
