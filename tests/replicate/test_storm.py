"""The storm, in short: real processes, from the Edge Function to the worker, and everything goes
wrong at once.
"""

from pathlib import Path

import pytest

from tests.replicate.farm import farm
from tests.replicate.storm import Storm, Weather

pytestmark = pytest.mark.processes


@pytest.mark.parametrize("seed", [3])
def test_in_a_storm_every_job_ends_and_nothing_is_paid_twice(seed: int, tmp_path: Path) -> None:
    with farm(tmp_path / "farm") as stack:
        storm = Storm(
            stack, Weather(seed, longest=1.0), jobs=60, kill_every=5, most_kills=1, is_impatient=True
        )
        storm.rage(timeout=180)
        assert not any(storm.violations().values()), storm.violations()
        assert storm.kills == {"worker": 1, "bridge": 1}
