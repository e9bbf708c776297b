"""The table of docs/reliability.md and the tests that bear its ids name each other."""

import ast
import re
from collections import defaultdict
from itertools import groupby

from tests.structure.test_layers import ROOT

TESTS = ROOT / "tests"
GROUPS = "CDILKPRNUX"  # the first letters of the ids, in the order of the document
ROWS = 133
ROW = re.compile(r"^\| ([A-Z]\d\d) \| (.+) \| (.+) \| (.+) \|$", re.M)
NAME = re.compile(r"test_((?:[A-Z]\d\d_)+)")  # several ids may stand in one name


def table() -> dict[str, list[str]]:
    """Return the files that each row names."""
    rows = ROW.findall((ROOT / "docs" / "reliability.md").read_text())
    assert len({row[0] for row in rows}) == len(rows)
    return {row[0]: re.findall(r"`([^`]+)`", row[3]) for row in rows}


def named() -> dict[str, set[str]]:
    """Return the files in which tests bear an id."""
    found = defaultdict(set)
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match = NAME.match(node.name) if isinstance(node, ast.FunctionDef) else None
            for row in match[1].split("_")[:-1] if match else ():
                found[row].add(str(path.relative_to(TESTS)))
    return dict(found)


def test_the_table_is_complete():
    rows = list(table())
    assert len(rows) == ROWS
    assert "".join(letter for letter, _ in groupby(rows, key=lambda row: row[0])) == GROUPS
    for letter, group in groupby(rows, key=lambda row: row[0]):
        assert list(group) == [f"{letter}{number:02d}" for number in range(1, 1 + sum(r[0] == letter for r in rows))]


def test_every_row_has_tests_that_bear_its_id():
    assert sorted(set(table()) - set(named())) == []


def test_every_id_in_a_test_stands_in_the_table():
    assert sorted(set(named()) - set(table())) == []


def test_rows_name_the_files_of_their_tests():
    files = named()
    assert {row: (given, sorted(files[row])) for row, given in table().items() if set(given) != files[row]} == {}
