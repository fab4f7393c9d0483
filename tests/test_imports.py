"""The import contracts hold, and each of them fails when it is broken: a contract that cannot fail proves nothing."""

import shutil
import subprocess
import sys
import tomllib
from itertools import pairwise, permutations
from pathlib import Path

import pytest

from tests.reference import ROOT

CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
LAYERS_CONTRACT, FORBIDDEN_CONTRACT, INDEPENDENCE_CONTRACT = CONTRACTS
#: from the top down; the modules of one layer stand side by side
LAYERS = [[name.strip(" ()") for name in layer.split("|")] for layer in LAYERS_CONTRACT["layers"]]
BANNED = "from datetime import datetime\nfrom uuid import uuid4\n\nprint(datetime.now(), datetime.today(), uuid4())\n"


def lint(folder: Path, cache: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the packages in that folder."""
    program = Path(sys.executable).with_name("lint-imports")
    command = [str(program), "--config", str(ROOT / "pyproject.toml"), "--cache-dir", str(cache)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def exists(module: str) -> bool:
    path = ROOT.joinpath(*module.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def plant(folder: Path, module: str, imported: str) -> str:
    """Make a module import what it must not; the name under which import-linter reports it."""
    path = folder.joinpath(*module.split("."))
    name = f"{module}.planted" if path.is_dir() else module
    target = path / "planted.py" if path.is_dir() else path.with_suffix(".py")
    with target.open("a", encoding="utf-8") as file:
        file.write(f"\nimport {imported}\n")
    return f"{name} -> {imported}"


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, list[str]]]:
    """A copy of the packages with a violation of every kind: what import-linter says, and what was planted."""
    folder = tmp_path_factory.mktemp("packages")
    for package in ("gateway", "fsiii"):
        skipped = shutil.ignore_patterns("__pycache__", "*.xsd", "*.xml", "*.tsv", "static", "templates")
        shutil.copytree(ROOT / package, folder / package, ignore=skipped)
    present = [[name for name in layer if exists(name)] for layer in LAYERS]
    filled = [layer for layer in present if layer]
    boundaries = [(below[0], above[0]) for above, below in pairwise(filled)]
    siblings = [(layer[0], layer[1]) for layer in filled if len(layer) > 1]
    formats = list(permutations(INDEPENDENCE_CONTRACT["modules"], 2))
    violations = {
        LAYERS_CONTRACT["name"]: [plant(folder, *pair) for pair in (*boundaries, *siblings)],
        FORBIDDEN_CONTRACT["name"]: [
            *(plant(folder, "gateway.referral", name) for name in FORBIDDEN_CONTRACT["forbidden_modules"]),
            *(plant(folder, name, "socket") for name in FORBIDDEN_CONTRACT["source_modules"]),
        ],
        INDEPENDENCE_CONTRACT["name"]: [plant(folder, *pair) for pair in formats],
    }
    result = lint(folder, folder / "cache")
    assert result.returncode == 1, result.stdout + result.stderr
    return result.stdout, violations


def test_the_contracts_hold(tmp_path: Path) -> None:
    result = lint(ROOT, tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Contracts: 3 kept, 0 broken." in result.stdout


@pytest.mark.parametrize("contract", [contract["name"] for contract in CONTRACTS])
def test_each_contract_can_fail(contract: str, planted: tuple[str, dict[str, list[str]]]) -> None:
    said, violations = planted
    assert f"{contract} BROKEN" in said
    assert violations[contract]
    assert [violation for violation in violations[contract] if violation not in said] == []


def test_every_module_has_its_layer() -> None:
    listed = {name for layer in LAYERS for name in layer}
    there = {
        f"gateway.{path.stem}"
        for path in (ROOT / "gateway").iterdir()
        if (path.is_dir() and any(path.rglob("*.py"))) or path.suffix == ".py"
    }
    assert there - {"gateway.__init__"} <= listed
    assert all(exists(name) for name in FORBIDDEN_CONTRACT["source_modules"])
    assert all(exists(name) for name in INDEPENDENCE_CONTRACT["modules"])


def test_the_real_clock_and_chance_are_banned() -> None:
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--config",
        str(ROOT / "pyproject.toml"),
        "--select",
        "TID251",
        "-",
    ]
    result = subprocess.run(command, input=BANNED, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stdout.count("time is injected") == 2
    assert result.stdout.count("ids are derived") >= 1
