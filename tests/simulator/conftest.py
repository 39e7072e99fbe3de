import pytest

from tests.simulator.agents import story  # noqa: F401  a fixture
from tests.simulator.lab import Lab, lab_switch


@pytest.fixture
async def lab(tmp_path):
    """A switch with the laboratory's telephones at twenty times the speed, and a client that hears all events."""
    async with Lab.open(lab_switch(tmp_dir=tmp_path)) as lab:
        yield lab
