"""The wheel: its content, and that it runs without the source."""

import json
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.architecture.source import ROOT


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of the source as it is, built and unpacked."""
    place = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(place), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = place.glob("pitstop-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place / "unpacked")
    return place / "unpacked"


def run(unpacked: Path, directory: Path, *arguments: str) -> str:
    """What the unpacked program prints when it is run from ``directory``."""
    environ = {**os.environ, "PYTHONPATH": str(unpacked), "PITSTOP_HOME": str(directory / "home")}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=directory, env=environ, capture_output=True, text=True, check=True)
    return done.stdout


def test_the_wheel_has_all_styles_and_nothing_foreign(unpacked: Path) -> None:
    styles = {path.name for path in (ROOT / "styles").glob("*.tcss")}
    assert styles
    assert {path.name for path in (unpacked / "tui" / "styles").glob("*.tcss")} == styles
    assert (unpacked / "tui" / "py.typed").exists()
    assert {path.name.partition("-")[0] for path in unpacked.iterdir()} == {"tui", "pitstop"}


def test_the_console_uses_the_styles_in_the_wheel(unpacked: Path, tmp_path: Path) -> None:
    code = "from tui.console.app import PitstopApp as app; print(app.CSS_PATH)"
    assert str(unpacked) in run(unpacked, tmp_path, "-c", code)


def test_the_wheel_runs_from_another_directory(unpacked: Path, tmp_path: Path) -> None:
    servers = json.loads(
        run(unpacked, tmp_path, "-m", "tui", "servers", "--sandbox", "--servers", "5", "--json")
    )
    assert len(servers) == 5


def test_every_dependency_has_a_lowest_version() -> None:
    """`make lowest` runs on exactly these."""
    done = subprocess.run(
        [sys.executable, ROOT / ".ci" / "lowest"], capture_output=True, text=True, check=True
    )
    lowest = [line for line in done.stdout.splitlines() if "==" in line]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert len(lowest) == len(project["dependencies"])
