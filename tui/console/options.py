"""How the console starts."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class StartOptions:
    """The options of the console's start, from the command line, the environment and the profile."""

    endpoint: str = ""
    """Name of the endpoint chosen at first; empty for the first one."""
    user: str = ""
    password: str = field(default="", repr=False)
    """With a user, the console logs in by itself, once."""
    account: str = ""
    readonly: bool = False
    log_file: str = ""
    """The file that tracebacks are written to, named to the operator when something breaks."""
