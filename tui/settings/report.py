"""The settings in force as text: `pitstop where`."""

import msgspec

from tui.settings.endpoint import ChosenEndpoint
from tui.settings.loader import Loaded
from tui.settings.paths import Paths
from tui.settings.schema import Profile, Settings, setting_infos


def describe(paths: Paths, loaded: Loaded, chosen: ChosenEndpoint | None, trouble: str = "") -> str:
    """Describe the files in use, and each setting in force with its source.

    ``trouble`` is why the journal cannot be used at its path; empty when it can.
    """
    files = [
        ("configuration", str(paths.config), "" if paths.config.exists() else "not there"),
        ("journal", str(paths.journal), trouble or ("" if paths.journal.exists() else "not there yet")),
        ("log", str(paths.log), "" if paths.log.exists() else "not there yet"),
        ("saved in the program", str(paths.saved), "" if paths.saved.exists() else "not there yet"),
    ]
    rows = [
        (field.name, shown(getattr(loaded.settings, field.name)), loaded.origins[field.name])
        for field in setting_infos(Settings)
        if field.name != "profiles"
    ]
    text = f"Files\n{_aligned(files)}\nSettings\n{_aligned(rows)}"
    if chosen is None:
        return f"{text}\nEndpoint\n  none is configured\n"
    endpoint = [
        (field.name, shown(getattr(chosen.profile, field.name)), chosen.origins[field.name])
        for field in setting_infos(Profile)
    ]
    return f"{text}\nEndpoint {chosen.name}\n{_aligned(endpoint)}"


def shown(value: object) -> str:
    """A value in the syntax of the configuration file."""
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
