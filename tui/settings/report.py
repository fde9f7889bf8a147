"""The settings in force as text: `pitstop where`."""

import msgspec

from tui.settings.loader import Loaded
from tui.settings.paths import Paths
from tui.settings.schema import Profile, Settings, fields
from tui.settings.target import Target


def describe(paths: Paths, loaded: Loaded, target: Target | None, trouble: str = "") -> str:
    """Which files are used, and each setting in force with where it comes from.

    ``trouble`` is why the journal cannot be where it is.
    """
    files = [
        ("configuration", str(paths.config), "" if paths.config.exists() else "not there"),
        ("journal", str(paths.journal), trouble or ("" if paths.journal.exists() else "not there yet")),
        ("log", str(paths.log), "" if paths.log.exists() else "not there yet"),
        ("saved in the program", str(paths.saved), "" if paths.saved.exists() else "not there yet"),
    ]
    rows = [
        (field.name, shown(getattr(loaded.settings, field.name)), loaded.origins[field.name])
        for field in fields(Settings)
        if field.name != "profiles"
    ]
    text = f"Files\n{_aligned(files)}\nSettings\n{_aligned(rows)}"
    if target is None:
        return f"{text}\nEndpoint\n  none is configured\n"
    endpoint = [
        (field.name, shown(getattr(target.profile, field.name)), target.origins[field.name])
        for field in fields(Profile)
    ]
    return f"{text}\nEndpoint {target.name}\n{_aligned(endpoint)}"


def shown(value: object) -> str:
    """A value as the configuration file spells it."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return msgspec.json.encode(value).decode()
        case list():
            return f"[{', '.join(map(shown, value))}]"
        case dict():
            return f"{{{', '.join(f'{name} = {shown(one)}' for name, one in value.items())}}}"
        case float():
            return f"{value:g}"
        case _:
            return str(value)


def _aligned(rows: list[tuple[str, str, str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return "".join(
        f"  {name:<{widths[0]}}  {value:<{widths[1]}}  {origin}".rstrip() + "\n"
        for name, value, origin in rows
    )
