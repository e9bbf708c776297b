"""The documents name what there is, and what they name is there."""

import re
import runpy
from dataclasses import fields
from pathlib import Path

import pytest

from ssseg.engine.options import RuntimeOptions
from ssseg.modules.utils import errors
from tests.docs.test_code_blocks import DOCUMENTS, ROOT

DOCS = ROOT / "docs"


def test_the_lists_of_parts_are_those_of_the_registries():
    pages = runpy.run_path(str(DOCS / "model_zoo.py"))["pages"]()
    stale = [path.name for path, text in pages.items() if path.read_text() != text]
    assert not stale, f"{stale}: run `python docs/model_zoo.py`"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", path.read_text()):
        file, _, anchor = target.partition("#")
        place = (path.parent / file).resolve() if file else path
        assert place.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.*)", place.read_text(), re.M)
            assert anchor in {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}, target


def test_every_named_test_exists():
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", (DOCS / "DIFFERENCES.md").read_text())
    assert len(named) > 50
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not Path(ROOT, "tests", file).is_file() or f"def {name}(" not in Path(ROOT, "tests", file).read_text()
    ]
    assert not missing


def test_every_difference_has_a_test():
    rows = [line for line in (DOCS / "DIFFERENCES.md").read_text().splitlines() if line.startswith("|")]
    without = [row for row in rows if "::" not in row and not row.startswith(("| what |", "| --- |"))]
    assert not without


def test_every_option_of_a_run_is_described_with_its_default():
    text = (DOCS / "Tutorials.md").read_text()
    for option in fields(RuntimeOptions):
        default = f'"{option.default}"' if isinstance(option.default, str) else str(option.default)
        assert f"| `{option.name}` | {default} |" in text, option.name


def test_every_error_stands_beside_its_exit_code():
    rows = dict(re.findall(r"^\| (\d+) \|[^|]*\|([^|]*)\|", (DOCS / "Checkpoints.md").read_text(), re.M))
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.SSSegError)]
    for kind in kinds:
        assert f"`{kind.__name__}`" in rows[str(kind.exit_code)], kind
