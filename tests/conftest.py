from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from gateway.municipality.model import Municipality, load
from tests.reference import shared_folder

# The same examples on every run: a property that fails, fails for everyone. No deadline: machines differ.
settings.register_profile(
    "gateway", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("gateway")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference data that tests compare with."""
    return shared_folder()


@pytest.fixture(scope="session")
def municipality() -> Municipality:
    """The built-in municipality file."""
    return load()
