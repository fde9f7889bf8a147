"""Load the settings. A flag precedes the environment, then what was saved, the file and the default."""

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from tui.settings.paths import (
    Paths,
    UnsafePathError,
    check_trusted,
    open_private,
    open_regular,
    replace_private,
)
from tui.settings.schema import SAVED, Profile, SettingInfo, Settings, setting_infos

DEFAULT = "default"
_WORDS = {
    "1": True, "true": True, "yes": True, "on": True,
    "0": False, "false": False, "no": False, "off": False,
}  # fmt: skip


class SettingsError(Exception):
    """Settings are invalid; ``str()`` has a line for each problem, with its source."""


class Loaded(msgspec.Struct, frozen=True):
    """The settings in force, and the source of each value."""

    settings: Settings
    origins: Mapping[str, str]
    """Name of a setting -> "default", or the file, variable or flag that sets it.

    The settings of a profile are named ``profiles.NAME.SETTING``.
    """


def load(paths: Paths, environ: Mapping[str, str], flags: Mapping[str, object] | None = None) -> Loaded:
    """Load the settings from all sources.

    ``flags`` is name of a setting -> its value on the command line, None where the flag is not given.

    Raises:
        SettingsError: a file cannot be read, or has an unknown key or a value of the wrong type.
    """
    problems: list[str] = []
    values: dict[str, Any] = {}
    origins = {field.name: DEFAULT for field in setting_infos(Settings)}
    for where, content in (
        (str(paths.config), _read_config(paths.config, problems)),
        (f"saved in the program ({paths.saved})", _read_saved(paths.saved, problems)),
    ):
        _merge(content, where, values, origins, problems)
    for field in setting_infos(Settings):
        variable = f"PITSTOP_{field.name.upper()}"
        if field.simple and environ.get(variable):
            try:
                values[field.name] = _from_text(field, environ[variable])
                origins[field.name] = variable
            except ValueError as error:
                problems.append(f"{variable}: {error}")
        if flags and flags.get(field.name) is not None:
            values[field.name] = flags[field.name]
            origins[field.name] = f"--{field.name.replace('_', '-')}"
    if problems:
        raise SettingsError("\n".join(problems))
    values["filters"] = {name: text for name, text in values.get("filters", {}).items() if text.strip()}
    return Loaded(Settings(**values), origins)


def save(paths: Paths, **chosen: object) -> None:
    """Save settings that the operator chose in the program, and keep those saved before.

    ``filters`` has those that changed, with an empty text for a filter to remove. A saved file that cannot be
    parsed is replaced. The configuration file stays as it is.

    Raises:
        ValueError: a name is not in ``SAVED``.
        OSError: the file cannot be written; the settings saved before remain.
        UnsafePathError: the directory is not the operator's own.
    """
    if unknown := chosen.keys() - SAVED:
        raise ValueError(f"not kept between starts: {', '.join(sorted(unknown))}")
    kept = _read_saved(paths.saved, [])
    if isinstance(filters := chosen.get("filters"), dict) and isinstance(before := kept.get("filters"), dict):
        chosen["filters"] = before | filters
    replace_private(paths.saved, msgspec.json.format(msgspec.json.encode(kept | chosen)) + b"\n")


def _read_config(path: Path, problems: list[str]) -> dict[str, Any]:
    try:
        with open(path, "rb", opener=open_regular) as file:
            check_trusted(path)  # It names the command that is run for the password.
            return tomllib.load(file)
    except FileNotFoundError:
        return {}
    except UnsafePathError as error:
        problems.append(f"{path}: not read: {error}")
    except OSError as error:
        problems.append(f"{path}: cannot be read: {error.strerror}")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(f"{path}: not TOML: {error}")
    return {}


def _read_saved(path: Path, problems: list[str]) -> dict[str, Any]:
    try:
        with open(path, "rb", opener=open_private) as file:
            found = msgspec.json.decode(file.read(), type=dict[str, Any])
        return {name: value for name, value in found.items() if name in SAVED}
    except FileNotFoundError:
        return {}
    except OSError as error:
        problems.append(f"{path}: cannot be read: {error.strerror}")
    except msgspec.DecodeError as error:
        problems.append(f"{path}: not what Pitstop wrote ({error}); remove it, or repair it")
    return {}


def _merge(
    content: dict[str, Any],
    where: str,
    values: dict[str, Any],
    origins: dict[str, str],
    problems: list[str],
) -> None:
    for name, value in _checked(Settings, content, where, "", problems).items():
        if name == "profiles":
            value = _profiles(value, where, origins, problems)
        elif name == "filters" and isinstance(values.get(name), dict):
            value = values[name] | value
        values[name] = value
        origins[name] = where


def _profiles(
    tables: dict[str, Any], where: str, origins: dict[str, str], problems: list[str]
) -> dict[str, Profile]:
    profiles: dict[str, Profile] = {}
    for name, table in tables.items():
        prefix = f"profiles.{name}."
        if not isinstance(table, dict):
            problems.append(f"{where}: profiles.{name}: must be a table [profiles.{name}]")
            continue
        found = _checked(Profile, table, where, prefix, problems)
        if "url" not in table:
            problems.append(f"{where}: {prefix}url is missing: where is the endpoint?")
        for field in setting_infos(Profile):
            origins[prefix + field.name] = where if field.name in table else DEFAULT
        profiles[name] = Profile(**found)
    return profiles


def _checked(
    struct: type[msgspec.Struct], table: dict[str, Any], where: str, prefix: str, problems: list[str]
) -> dict[str, Any]:
    """The valid values of ``table``. The others are added to ``problems``."""
    known = {field.name: field for field in setting_infos(struct)}
    right: dict[str, Any] = {}
    for name, value in table.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {near[0]}?" if near else f"; there are: {', '.join(known)}"
            problems.append(f"{where}: {prefix}{name}: there is no such setting{hint}")
        elif name == "profiles" and isinstance(value, dict):
            right[name] = value
        else:
            try:
                right[name] = msgspec.convert(value, known[name].type)
            except msgspec.ValidationError as error:
                problems.append(f"{where}: {prefix}{name}: {_wrong(known[name], value, error)}")
    return right


def _from_text(field: SettingInfo, text: str) -> Any:
    """Parse the value of an environment variable. Raises ValueError with what it must be."""
    if field.kind == "true or false":
        if text.casefold() not in _WORDS:
            raise ValueError(f"must be true or false, not {text!r}")
        return _WORDS[text.casefold()]
    try:
        return msgspec.convert(text, field.type, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(_wrong(field, text, error)) from None


def _wrong(field: SettingInfo, value: object, error: msgspec.ValidationError) -> str:
    kind = (
        field.kind if field.kind[0] == '"' or field.kind in {"text", "true or false"} else f"a {field.kind}"
    )
    bound = re.search(r" (?:>=|<=|>|<) [-0-9.e]+", str(error))
    return f"must be {kind}{bound.group() if bound else ''}, not {value!r}"
