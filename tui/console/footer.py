"""Which keys the footer shows: those of the pane with the focus, then the others."""

from collections.abc import Iterable

from textual.binding import Keymap

from tui.console.commands import Command, CommandContext, Pane, keys_of, offered

NEAR = 60
"""The weight added to a hint while its pane has the focus."""
SECTION = "Where the focus is"


def _key(pane: Pane, keys: str, label: str, help_: str, hint: str, weight: int) -> Command:
    name = f"{pane.value}.{hint.replace(' ', '.')}"
    return Command(name, keys, label, help_, SECTION, "", hint=hint, weight=weight, pane=pane)


PANE_KEYS = (
    _key(
        Pane.GROUPS,
        "enter",
        "Groups: show",
        "Show only the servers of this group, or all again.",
        "show group",
        36,
    ),
    _key(Pane.GROUPS, "space", "Groups: mark", "Mark or unmark the servers of this group.", "mark group", 35),
    _key(Pane.GROUPS, "←→", "Groups: fold", "Fold or unfold this group.", "fold", 34),
    _key(Pane.FILTER, "enter", "Filter: keep", "Keep the filter and go to the list.", "keep", 36),
    _key(
        Pane.FILTER,
        "escape",
        "Filter: clear",
        "Take the filter off; once more goes to the list.",
        "clear",
        35,
    ),
    _key(Pane.FILTER, "↑↓", "Filter: older", "Filters typed before, and back.", "older", 34),
    _key(Pane.DETAILS, "↑↓", "Details: scroll", "The lines that do not fit.", "scroll", 34),
)
"""Keys with a meaning in one pane only, where they hide the commands on the same keys."""


def hints(now: CommandContext, pane: Pane, keymap: Keymap, width: int) -> list[tuple[Command, str]]:
    """The commands to show in ``width`` cells while ``pane`` has the focus, each with its key and hint."""
    own = [command for command in PANE_KEYS if command.pane is pane]
    taken = {key for command in own for key in keys_of(command)}
    found = []
    for command in sorted((*own, *offered(now)), key=lambda command: command.pane is not pane):
        keys = keys_of(command, None if command in own else keymap)
        if pane is Pane.FILTER:  # a letter is typed there
            keys = [key for key in keys if len(key) > 1]
        elsewhere = command.pane not in (None, pane) and not command.weight
        if not command.hint or not keys or elsewhere or (command not in own and keys[0] in taken):
            continue
        if command.pane is pane:
            command = command._replace(weight=command.weight + NEAR)
        found.append((command, f"{keys[0]} {command.hint}"))
    return fit(found, width)


def fit(hints: Iterable[tuple[Command, str]], width: int, gap: int = 2) -> list[tuple[Command, str]]:
    """Drop the lightest hints until the others fit into ``width`` cells, ``gap`` cells apart, in their order.

    Hints of weight 100 and more are never dropped.
    """
    kept = list(hints)

    def length() -> int:
        return sum(len(text) for _, text in kept) + gap * max(0, len(kept) - 1)

    while length() > width:
        lightest = min(kept, key=lambda hint: hint[0].weight, default=None)
        if lightest is None or lightest[0].weight >= 100:
            break
        kept.remove(lightest)
    return kept
