"""The house numbers of design §6, measured on the code."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

import pytest

from tests.reference import ROOT

MOST_LINES_OF_A_FUNCTION, MEDIAN_LINES_OF_A_FUNCTION, MOST_LINES_OF_A_FILE, MOST_PARAMETERS = 40, 10, 400, 5
#: typer makes each option a parameter; a migration lists every column in one place
EXEMPT = ("gateway/commands/", "gateway/store/migrations/versions/")
FORBIDDEN_NAME = re.compile(r"(^|_)(util|helper|common|misc|manager|base|service)s?($|_)")
PACKAGES = sorted(path for top in ("gateway", "fsiii") for path in (ROOT / top).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))


class Function(NamedTuple):
    name: str
    lines: int
    parameters: int


def functions(source: str) -> Iterator[Function]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            named = [argument for argument in given if argument.arg not in {"self", "cls"}]
            yield Function(node.name, (node.end_lineno or 0) - node.lineno + 1, len(named))


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def broken_rules(name: str, source: str) -> list[str]:
    """What in a file goes beyond the house numbers."""
    found = []
    if len(source.splitlines()) > MOST_LINES_OF_A_FILE:
        found.append(f"{name}: {len(source.splitlines())} lines")
    for function in () if name.startswith(EXEMPT) else functions(source):
        if function.lines > MOST_LINES_OF_A_FUNCTION:
            found.append(f"{name}: {function.name} has {function.lines} lines")
        if function.parameters > MOST_PARAMETERS:
            found.append(f"{name}: {function.name} has {function.parameters} parameters")
    found += [f"{name}: forbidden name" for part in Path(name).with_suffix("").parts if FORBIDDEN_NAME.search(part)]
    found += [f"{name}: {line.strip()}" for line in source.splitlines() if "pragma: " + "no cover" in line]
    return found


def test_the_packages_keep_the_house_numbers() -> None:
    assert len(PACKAGES) > 50
    broken = [rule for path in PACKAGES for rule in broken_rules(place(path), path.read_text(encoding="utf-8"))]
    assert broken == []


def test_functions_are_short_as_a_rule() -> None:
    lines = [function.lines for path in PACKAGES for function in functions(path.read_text(encoding="utf-8"))]
    assert median(lines) <= MEDIAN_LINES_OF_A_FUNCTION


def test_no_test_file_is_longer() -> None:
    long = [place(path) for path in TESTS if len(path.read_text(encoding="utf-8").splitlines()) > MOST_LINES_OF_A_FILE]
    assert long == []


@pytest.mark.parametrize(
    ("name", "source", "rules"),
    [
        ("gateway/x.py", "x = 1\n" * 400, 0),
        ("gateway/x.py", "x = 1\n" * 401, 1),
        ("gateway/x.py", "def f():\n" + "    x = 1\n" * 39, 0),
        ("gateway/x.py", "def f():\n" + "    x = 1\n" * 40, 1),
        ("gateway/x.py", "async def f():\n" + "    x = 1\n" * 40, 1),
        ("gateway/commands/x.py", "def f():\n" + "    x = 1\n" * 40, 0),
        ("gateway/x.py", "def f(a, b, c, d, e): ...", 0),
        ("gateway/x.py", "class A:\n    def f(self, a, b, c, d, e): ...", 0),
        ("gateway/x.py", "def f(a, b, c, d, *, e, f): ...", 1),
        ("gateway/commands/x.py", "def f(a, b, c, d, e, f): ...", 0),
        ("gateway/utils.py", "", 1),
        ("gateway/base/x.py", "", 1),
        ("gateway/http_service.py", "", 1),
        ("gateway/database.py", "", 0),
        ("gateway/x.py", "x = 1  # pragma: " + "no cover", 1),
    ],
)
def test_the_measure_measures(name: str, source: str, rules: int) -> None:
    assert len(broken_rules(name, source)) == rules
