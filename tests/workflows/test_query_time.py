"""How long a bot's state is waited for."""

from oxbot.adapters.temporal.control import QUERY_WITHIN
from worker.main import STICKY


def test_a_query_outlives_the_wait_for_a_worker_that_has_died() -> None:
    """Temporal offers it to the dead worker's own queue first, for all of the sticky time-out."""
    assert QUERY_WITHIN >= 2 * STICKY
