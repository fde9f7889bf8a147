"""Settings from all sources: which one wins, and the messages about invalid ones."""

import os
import stat
from pathlib import Path

import pytest

from tui.settings.loader import Loaded, SettingsError, load, save
from tui.settings.paths import Paths, UnsafePathError

CONFIG = """
batch_size = 20
confirm_above = 5
filters = { web = "group:web maint:off" }
profile = "night"

[profiles.night]
url = "https://api.example.net/v2"
user = "ops"
requests_per_second = 5
"""


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "config.toml", tmp_path / "state")


def loaded(paths: Paths, config: str = "", environ: dict[str, str] | None = None, **flags: object) -> Loaded:
    paths.config.write_text(config)
    return load(paths, environ or {}, flags)


def problems(paths: Paths, config: str = "", environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        loaded(paths, config, environ)
    return str(caught.value).splitlines()


def test_without_any_source_everything_is_the_default(paths: Paths) -> None:
    found = load(paths, {})
    assert (found.settings.batch_size, found.settings.confirm_above) == (100, 50)
    assert set(found.origins.values()) == {"default"}


def test_values_of_the_file_have_its_path_as_their_origin(paths: Paths) -> None:
    found = loaded(paths, CONFIG)
    assert found.settings.batch_size == 20
    assert found.origins["batch_size"] == str(paths.config)
    assert found.settings.profiles["night"].user == "ops"
    assert found.settings.profiles["night"].requests_per_second == 5.0
    assert found.origins["profiles.night.user"] == str(paths.config)
    assert found.origins["profiles.night.burst"] == "default"


def test_a_flag_wins_over_the_environment_and_that_over_the_file(paths: Paths) -> None:
    environ = {"PITSTOP_BATCH_SIZE": "30", "PITSTOP_READONLY": "yes", "PITSTOP_VERIFY_LIMIT": "12.5"}
    found = loaded(paths, CONFIG, environ, batch_size=40, mouse=None)
    assert (found.settings.batch_size, found.origins["batch_size"]) == (40, "--batch-size")
    assert (found.settings.readonly, found.origins["readonly"]) == (True, "PITSTOP_READONLY")
    assert found.settings.verify_limit == 12.5
    assert found.origins["mouse"] == "default"


def test_saved_settings_win_over_the_file(paths: Paths) -> None:
    save(paths, sort="-cpu", filters={"db": "group:db"})
    save(paths, columns=["id", "name:20"])
    found = loaded(paths, CONFIG + "\n")
    assert found.settings.sort == "-cpu"
    assert found.settings.columns == ["id", "name:20"]
    assert found.settings.filters == {"web": "group:web maint:off", "db": "group:db"}
    assert str(paths.saved) in found.origins["sort"]
    assert paths.config.read_text() == CONFIG + "\n"


def test_the_saved_file_is_private_and_no_temporary_file_is_left(paths: Paths) -> None:
    save(paths, sort="name")
    assert stat.S_IMODE(paths.saved.stat().st_mode) == 0o600
    assert stat.S_IMODE(paths.state.stat().st_mode) == 0o700
    assert [path.name for path in paths.state.iterdir()] == [paths.saved.name]


def test_a_failed_save_leaves_the_file_unchanged(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    save(paths, sort="name")
    before = paths.saved.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        save(paths, sort="cpu")
    assert paths.saved.read_bytes() == before
    assert [path.name for path in paths.state.iterdir()] == [paths.saved.name]


def test_only_settings_that_the_console_can_change_are_saved(paths: Paths) -> None:
    with pytest.raises(ValueError, match="batch_size"):
        save(paths, batch_size=5)


def test_a_link_in_place_of_the_saved_file_is_not_followed(paths: Paths, tmp_path: Path) -> None:
    paths.state.mkdir(mode=0o700)
    paths.saved.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnsafePathError, match="symbolic link"):
        load(paths, {})


def test_an_unknown_setting_is_named_with_its_file_and_a_suggestion(paths: Paths) -> None:
    (line,) = problems(paths, "batchsize = 5")
    assert str(paths.config) in line
    assert "batchsize: there is no such setting; did you mean batch_size?" in line


def test_every_problem_is_reported_not_only_the_first(paths: Paths) -> None:
    lines = problems(
        paths,
        """
        batch_size = "many"
        confirm_above = -1
        on_hangup = "sleep"
        [profiles.day]
        usr = "ops"
        [profiles.night]
        url = "https://x"
        burst = true
        """,
        {"PITSTOP_MOUSE": "perhaps"},
    )
    found = "\n".join(lines)
    assert "batch_size: must be a whole number, not 'many'" in found
    assert "confirm_above: must be a whole number >= 0, not -1" in found
    assert """on_hangup: must be "finish" or "pause", not 'sleep'""" in found
    assert "profiles.day.usr: there is no such setting; did you mean user?" in found
    assert "profiles.day.url is missing" in found
    assert "profiles.night.burst: must be a whole number, not True" in found
    assert "PITSTOP_MOUSE: must be true or false, not 'perhaps'" in found
    assert len(lines) == 7


@pytest.mark.parametrize("config", ["batch_size =", "\x00", "a = 1\na = 2"])
def test_a_file_that_is_not_toml_is_reported_with_its_path(paths: Paths, config: str) -> None:
    (line,) = problems(paths, config)
    assert line.startswith(f"{paths.config}: not TOML")


def test_a_file_that_cannot_be_read_is_reported_with_its_path(paths: Paths) -> None:
    paths.config.mkdir()
    with pytest.raises(SettingsError, match=r"config\.toml: cannot be read: Is a directory"):
        load(paths, {})


def test_an_invalid_saved_file_is_reported_with_its_path(paths: Paths) -> None:
    save(paths, sort="name")
    paths.saved.write_text("{")
    with pytest.raises(SettingsError, match=r"saved\.json: not what Pitstop wrote"):
        load(paths, {})


@pytest.mark.parametrize("which", ["config", "saved"])
def test_a_named_pipe_is_refused_without_waiting(paths: Paths, which: str) -> None:
    path: Path = getattr(paths, which)
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(path, 0o600)
    with pytest.raises((SettingsError, UnsafePathError), match=r"no regular file|not a file of your own"):
        load(paths, {}, {})
