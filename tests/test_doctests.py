"""The examples in docstrings are tests too."""

import doctest
import pkgutil
from importlib import import_module
from types import ModuleType

import pytest

import fsiii
import gateway


def modules() -> list[str]:
    """Every module of the packages, but for those that run when they are imported."""
    found = [
        info.name
        for package in (gateway, fsiii)
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    ]
    return [name for name in found if not name.endswith("__main__") and ".migrations" not in name]


@pytest.mark.parametrize("name", modules())
def test_examples(name: str) -> None:
    module: ModuleType = import_module(name)
    assert doctest.testmod(module).failed == 0


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    with_examples = {test.name for name in modules() for test in finder.find(import_module(name)) if test.examples}
    assert "gateway.referral.ids.letter_id" in with_examples
    assert len(with_examples) >= 8
