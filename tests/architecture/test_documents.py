"""ARCHITECTURE.md, CONTRIBUTING.md and README.md match the source."""

import re

import pytest

from tests.architecture.source import ROOT
from tests.architecture.test_imports import ALLOWED, ALLOWED_LATE


def text_of(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def names_in(cell: str) -> set[str]:
    return {name.strip() for name in cell.split(",") if name.strip()}


def test_the_import_table_of_architecture_md_matches_the_rules() -> None:
    rows = re.findall(r"^\| `(\w+)` \| .* \| (.*?)\|$", text_of("ARCHITECTURE.md"), re.MULTILINE)
    found = {part: cell.partition("later:") for part, cell in rows}
    assert {part: names_in(now.replace(";", "")) for part, (now, _, _) in found.items()} == ALLOWED
    assert {part: names_in(late) for part, (_, _, late) in found.items() if late} == ALLOWED_LATE


def test_the_glossary_is_short() -> None:
    (table,) = re.findall(r"## Glossary\n(.*?)\n##", text_of("ARCHITECTURE.md"), re.DOTALL)
    terms = re.findall(r"^\| ([A-Z][\w, ]+) \| [^|]+\. \|$", table, re.MULTILINE)
    assert 10 < len(terms) <= 20


@pytest.mark.parametrize("document", ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"])
def test_every_file_that_a_document_names_exists(document: str) -> None:
    for path in re.findall(r"`((?:tui|tests|styles|screenshots|\.ci)/[\w./-]+)`", text_of(document)):
        assert (ROOT / path).exists(), path


def test_every_class_that_architecture_md_names_exists() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tui").rglob("*.py"))
    classes = re.findall(r"`([A-Z][a-z]+[A-Z]?\w*)`", text_of("ARCHITECTURE.md"))
    assert len(classes) > 5
    assert [name for name in classes if f"class {name}" not in source] == []
