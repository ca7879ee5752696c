"""Exits between the ticks of a replay: each in the candle that asks for it, whoever is killed."""

from pathlib import Path

import pytest

from tests.e2e.killed_system import kill_everything
from tests.e2e.replays import Bots, Report, begin, ended, kill, wait_for_progress
from tests.e2e.system_process import Machine

REAL_CANDLES = Path(__file__).parents[3] / "shared" / "market-data"
"""Candles of a real exchange, where somebody has put them; the project ships none."""

REAL = ("--candles", str(REAL_CANDLES), "--timeframe", "5m")
REAL_FROM, REAL_TO = "2025-05-05T00:00:00Z", "2025-05-05T01:30:00Z"

EAGER = {"fee_round_trips": "0", "reward_risk": "0.1", "cooldown_s": 0, "shortest_hold_s": 0}
"""Limits of a bot that trades as often as it can."""

BOTS: Bots = [
    {"id": "tight", "settings": {"limits": {**EAGER, "stop": "0.002", "target": "0.003"}}},
    {"id": "trails", "settings": {"limits": {**EAGER, "trailing": "0.0015"}}},
    {"id": "brief", "settings": {"limits": {**EAGER, "longest_hold_s": 200}}},
]
"""Guards so near that most of their exits fall between two ticks."""


def agrees(report: Report) -> None:
    """All that the candles met was filled in its candle, and nothing else; the books agree."""
    seen = report["crossings"]
    assert seen["doubts"] == []
    assert seen["filled_in_their_candle"] == seen["expected"] > 0
    assert (seen["late"], seen["others"]) == (0, 0)
    assert (report["drift"], report["unbalanced"]) == ("0", 0)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """What a replay on the generated market came to that nobody disturbed."""
    machine = Machine.clean(tmp_path_factory.mktemp("crossings"))
    begin(machine, bots=BOTS)
    return ended(machine)


@pytest.mark.critical
def test_each_exit_is_filled_in_the_candle_that_asked_for_it(undisturbed: Report) -> None:
    agrees(undisturbed)
    assert undisturbed["skipped"] == {}
    assert {"stop", "target", "trail", "hold"} <= undisturbed["ends"].keys()


@pytest.mark.critical
def test_twice_it_comes_to_the_same_whoever_is_killed_on_the_way(
    machine: Machine, undisturbed: Report
) -> None:
    begin(machine, bots=BOTS)
    wait_for_progress(machine)
    kill(machine, "worker")
    wait_for_progress(machine)
    kill(machine, "simulator", "redis")
    wait_for_progress(machine)
    kill_everything(machine)
    begin(machine, bots=BOTS)
    wait_for_progress(machine)
    kill(machine, "temporal", "postgres")
    assert ended(machine) == undisturbed


@pytest.mark.skipif(
    not REAL_CANDLES.is_dir(),
    reason="There are no candles of a real exchange here; the generated market was tried.",
)
def test_on_real_candles_each_exit_is_filled_in_the_candle_that_asked_for_it(
    machine: Machine,
) -> None:
    begin(machine, *REAL, "--from", REAL_FROM, "--to", REAL_TO, bots=BOTS)
    agrees(ended(machine))
