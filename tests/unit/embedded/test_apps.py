"""What the simulator is started with."""

from pathlib import Path

import pytest

from oxbot.embedded.apps import SimulatorOptions


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        (SimulatorOptions(), []),
        (SimulatorOptions(seed=3, mode="stepped"), ["--seed", "3", "--mode", "stepped"]),
        (SimulatorOptions(rate_limits=True), ["--rate-limits"]),
        (SimulatorOptions(quick=True), ["--quick"]),
        (
            SimulatorOptions(faults=Path("rules.json"), rate_limits=False),
            ["--faults", "rules.json", "--no-rate-limits"],
        ),
    ],
)
def test_only_what_was_said_is_on_the_command_line(
    options: SimulatorOptions, arguments: list[str]
) -> None:
    assert options.arguments() == arguments
