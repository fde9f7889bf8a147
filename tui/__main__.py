"""The command ``pitstop``, also as ``python -m tui``."""

import resource
import sys

# First of all: a crash of the interpreter is to leave no core file, which would hold the password.
resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))

from tui.cli import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
