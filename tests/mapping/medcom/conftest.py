import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared(pytestconfig: pytest.Config) -> Path:
    """The folder of reference data that tests compare with: it stands beside the project, never in it."""
    configured = os.environ.get("GATEWAY_TEST_SHARED")
    folder = Path(configured) if configured else pytestconfig.rootpath.parent / "shared"
    if (folder / "data" / "medcom").is_dir():
        return folder
    if configured:
        pytest.fail(f"GATEWAY_TEST_SHARED names {folder}, which holds no data/medcom")
    pytest.skip("no reference data: set GATEWAY_TEST_SHARED to the folder that holds data/medcom")
