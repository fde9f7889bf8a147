"""The console on the sandbox with Textual's devtools, for whoever works on it: ``make dev``.

Style sheets are read again when they change, and ``textual console`` in another terminal shows the log, with
every key that is pressed. Because of that the program itself removes the variables that switch this on.
"""

import sys
from collections.abc import MutableMapping

from tui.cli import main
from tui.console.terminal import checks


def set_defaults_with_devtools(environ: MutableMapping[str, str]) -> None:
    """Set what the program sets, and what switches on the devtools."""
    set_defaults(environ)
    environ["TEXTUAL"] = "devtools,debug"


if __name__ == "__main__":
    set_defaults = checks.set_defaults
    checks.set_defaults = set_defaults_with_devtools
    sys.exit(main(["demo", *sys.argv[1:]]))
