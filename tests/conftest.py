"""What all tests share: where the real data lie, and hypothesis: repeatable in CI, long in a soak."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("default", deadline=None, max_examples=20)
settings.register_profile("ci", deadline=None, max_examples=20, derandomize=True)
settings.register_profile("soak", deadline=None, max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "default"))


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of public data sets that `realdata` tests read."""
    folder = os.environ.get("RETENTION_KIT_DATA")
    if not folder:
        pytest.skip("RETENTION_KIT_DATA is not set")
    return Path(folder)
