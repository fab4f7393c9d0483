"""The script that rebuilds the tables, and a small publication of KL's made from the committed tables."""

import importlib.util
import json
import sys
from collections.abc import Callable, Mapping
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import fsiii

ROOT = Path(__file__).parents[2]

ROOTS = {
    "interventions_119": "102ea764-d2cf-4a24-979d-68c2e8d638cf",
    "conditions_119": "0fa991ef-adf5-4202-8cfe-a31454ed6e9d",
    "interventions_140": "7deb81de-12c0-4a49-bd5b-72ea6fe89d83",
    "conditions_140": "94db6c71-859d-43e6-9a62-4e7fa7daf767",
    "referred_from": "95851822-5a33-4349-a1f2-9b1245369bf5",
}

Json = dict[str, Any]


@pytest.fixture(scope="session")
def regenerate() -> ModuleType:
    """scripts/regenerate-fsiii as a module."""
    loader = SourceFileLoader("regenerate_fsiii", str(ROOT / "scripts" / "regenerate-fsiii"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[loader.name] = module
    loader.exec_module(module)
    return module


@pytest.fixture
def publish(tmp_path: Path) -> Callable[[Json], Path]:
    """Write resources as KL lays them out, in a folder of their own."""

    def write(*resources: Json) -> Path:
        folder = tmp_path / "published"
        folder.mkdir(exist_ok=True)
        for resource in resources:
            name = resource["url"].rpartition("/")[2].replace(":", "-")
            path = folder / f"{resource['resourceType']}-{name}.json"
            path.write_text(json.dumps(resource), encoding="utf-8")
        return folder

    return write


@pytest.fixture
def code_system() -> Json:
    """FSIII as KL nests it, made from the committed tables."""
    top = [
        _concept(ROOTS["interventions_119"], _leaves(fsiii.interventions_119())),
        _concept(ROOTS["conditions_119"], _areas(fsiii.conditions_119())),
        _concept(ROOTS["interventions_140"], _leaves(fsiii.interventions_140())),
        _concept(ROOTS["conditions_140"], _areas(fsiii.conditions_140())),
        _concept(ROOTS["referred_from"], _leaves(fsiii.referred_from())),
        _concept("A", [_concept(row.key, [], row.display) for row in fsiii.referred_from().values()]),
    ]
    return {"resourceType": "CodeSystem", "url": fsiii.FSIII_SYSTEM, "version": "20240530", "concept": top}


@pytest.fixture
def care_social_system() -> Json:
    """CareSocialCodes, flat: where a code stands decides nothing while no value set is given."""
    codes = [
        _concept(row.code, [], row.display)
        for group in ("contact_class", "delivery_type", "plan_category", "service_type", "stop_reason")
        for row in fsiii.care_social_codes(group).values()
        if row.system == fsiii.CARE_SOCIAL_SYSTEM
    ]
    return {"resourceType": "CodeSystem", "url": fsiii.CARE_SOCIAL_SYSTEM, "version": "20250530", "concept": codes}


def _concept(code: str, below: list[Json], display: str = "title") -> Json:
    return {"code": code, "display": display, "definition": "never copied", "concept": below}


def _leaves(rows: Mapping[str, Any]) -> list[Json]:
    return [_concept(row.code, [], row.display) for row in rows.values()]


def _areas(rows: Mapping[str, fsiii.Condition]) -> list[Json]:
    areas = {row.area: row.area_display for row in rows.values()}
    return [
        _concept(area, _leaves({code: row for code, row in rows.items() if row.area == area}), display)
        for area, display in areas.items()
    ]
