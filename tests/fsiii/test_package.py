"""The package as its users meet it: names, imports, and no work before the first look-up."""

import ast
import subprocess
import sys
from pathlib import Path

import fsiii
from fsiii import codes

PACKAGE = Path(fsiii.__file__).parent

WATCH = """
import sys
opened = []
sys.addaudithook(lambda event, arguments: opened.append(str(arguments[0])) if event == "open" else None)
import fsiii
data = lambda: [path for path in opened if path.endswith((".tsv", "SOURCES.toml"))]
assert data() == [], data()
fsiii.intervention(fsiii.BEHOVSSAMTALE)
assert [path.rpartition("/")[2].rpartition("\\\\")[2] for path in data()] == ["interventions_119.tsv"], data()
fsiii.intervention(fsiii.BEHOVSSAMTALE)
assert len(data()) == 1, data()
"""


def test_all_is_sorted_complete_and_true() -> None:
    public = {name for name in vars(fsiii) if not name.startswith("_") and name != "codes"}
    assert set(fsiii.__all__) == public
    assert len(fsiii.__all__) == len(public)
    assert all(getattr(fsiii, name) is getattr(codes, name) for name in fsiii.__all__)


def test_everything_public_in_codes_is_offered() -> None:
    tree = ast.parse((PACKAGE / "codes.py").read_text(encoding="utf-8"))
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assigned = {ast.unparse(node.target) for node in tree.body if isinstance(node, ast.AnnAssign)}
    aliases = {ast.unparse(node.targets[0]) for node in tree.body if isinstance(node, ast.Assign)}
    public = {name for name in defined | assigned | aliases if not name.startswith("_")}
    assert public == set(fsiii.__all__)


def test_only_the_standard_library_is_imported() -> None:
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for name in _imported(node):
                assert name.partition(".")[0] in {*sys.stdlib_module_names, "fsiii"}, f"{path.name} imports {name}"


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0
        return [node.module or ""]
    return []


def test_nothing_is_read_before_the_first_look_up() -> None:
    done = subprocess.run([sys.executable, "-c", WATCH], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
