"""The venue's clock, with a wall clock that the tests turn."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxbot.domain.errors import InputError, SetupError
from oxbot.simulator.clock import (
    LONGEST_STEP_MS,
    ClockChange,
    ClockState,
    Mode,
    VenueClock,
)

START, END, WALL = 1_735_689_600_000, 1_735_689_600_000 + 10**10, 5_000_000


class Wall:
    """A wall clock that stands where it is put."""

    def __init__(self) -> None:
        self.ms = WALL

    def __call__(self) -> int:
        return self.ms


def state_of(mode: Mode = Mode.SPEED, rate: str = "30") -> ClockState:
    return ClockState("a market", mode, Decimal(rate), START, WALL)


def clock_of(
    wall: Wall, state: ClockState | None = None, saved: list[ClockState] | None = None
) -> VenueClock:
    keep = [] if saved is None else saved
    return VenueClock(state or state_of(), END, keep.append, wall)


def test_at_speed_the_venue_runs_at_its_rate() -> None:
    wall = Wall()
    clock = clock_of(wall, state_of(rate="2.5"))
    wall.ms += 1000
    assert clock.now() == START + 2500


def test_stepped_the_venue_stands_still_until_it_is_advanced() -> None:
    wall = Wall()
    clock = clock_of(wall, state_of(Mode.STEPPED))
    wall.ms += 10**6
    assert clock.now() == START
    assert clock.change(ClockChange(advance_ms=300_000)).venue_ms == START + 300_000
    assert clock.change(ClockChange(to_ms=START + 400_000)).venue_ms == START + 400_000
    assert clock.read().rate == 0


def test_at_speed_the_venue_can_be_sent_forward_and_runs_on_from_there() -> None:
    wall = Wall()
    clock = clock_of(wall)
    assert clock.change(ClockChange(advance_ms=500_000)).venue_ms == START + 500_000
    assert clock.change(ClockChange(to_ms=START + 600_000)).venue_ms == START + 600_000
    wall.ms += 1000
    assert clock.now() == START + 630_000


def test_each_change_that_counts_is_told_and_no_other() -> None:
    told: list[int] = []
    clock = clock_of(Wall(), state_of(Mode.STEPPED))
    clock.changed.append(lambda: told.append(clock.now()))
    clock.change(ClockChange(advance_ms=300_000))
    with suppress(InputError):
        clock.change(ClockChange(to_ms=START))
    clock.keep()
    assert told == [START + 300_000]


def test_changing_mode_or_rate_does_not_jump_and_keeps_the_rate() -> None:
    wall = Wall()
    clock = clock_of(wall)
    wall.ms += 1000
    assert clock.change(ClockChange(mode=Mode.STEPPED)).venue_ms == START + 30_000
    wall.ms += 7777
    resumed = clock.change(ClockChange(mode=Mode.SPEED))
    assert resumed.venue_ms == START + 30_000
    assert resumed.rate == 30
    assert clock.change(ClockChange(rate=Decimal(2))).venue_ms == START + 30_000
    wall.ms += 10
    assert clock.now() == START + 30_020


def test_a_reading_tells_the_time_of_later_moments() -> None:
    wall = Wall()
    clock = clock_of(wall)
    wall.ms += 123
    reading = clock.read()
    wall.ms += 456
    assert clock.now() == reading.venue_ms + int((wall.ms - reading.wall_ms) * reading.rate)


def test_the_venue_goes_on_while_its_process_is_away() -> None:
    wall, saved = Wall(), list[ClockState]()
    clock = clock_of(wall, saved=saved)
    clock.change(ClockChange(rate=Decimal(10)))
    wall.ms += 60_000
    assert clock_of(wall, saved[-1]).now() == START + 600_000


def test_a_wall_clock_that_is_set_back_does_not_take_the_venue_back() -> None:
    wall, saved = Wall(), list[ClockState]()
    clock = clock_of(wall, saved=saved)
    wall.ms += 1000
    seen = clock.now()
    wall.ms -= 5000
    assert clock.now() == seen
    clock.keep()
    assert clock_of(wall, saved[-1]).now() == seen
    wall.ms += 10
    assert clock_of(wall, saved[-1]).now() == seen + 300


def test_the_market_ends_and_says_so() -> None:
    wall = Wall()
    clock = clock_of(wall)
    assert not clock.read().ended
    wall.ms += 10**12
    reading = clock.read()
    assert (reading.venue_ms, reading.ended) == (END, True)
    assert reading.rate == 0
    stepped = clock_of(Wall(), state_of(Mode.STEPPED))
    assert stepped.change(ClockChange(advance_ms=2 * 10**10)).ended


@pytest.mark.parametrize(
    ("mode", "wanted", "why"),
    [
        (Mode.SPEED, ClockChange(to_ms=START - 1), "never goes back"),
        (Mode.STEPPED, ClockChange(rate=Decimal(2)), "has no rate"),
        (Mode.STEPPED, ClockChange(to_ms=START - 1), "never goes back"),
        (Mode.STEPPED, ClockChange(advance_ms=1, to_ms=START + 1), "not both"),
        (Mode.STEPPED, ClockChange(advance_ms=LONGEST_STEP_MS + 1), "at most 366 days"),
        (Mode.SPEED, ClockChange(rate=Decimal(0)), "from 0.001 to 3600"),
        (Mode.SPEED, ClockChange(rate=Decimal("3600.1")), "from 0.001 to 3600"),
        (Mode.SPEED, ClockChange(rate=Decimal("NaN")), "from 0.001 to 3600"),
        (Mode.SPEED, ClockChange(rate=Decimal("Infinity")), "from 0.001 to 3600"),
    ],
)
def test_a_change_that_cannot_be_is_refused_and_changes_nothing(
    mode: Mode, wanted: ClockChange, why: str
) -> None:
    wall, saved = Wall(), list[ClockState]()
    clock = clock_of(wall, state_of(mode), saved)
    before = clock.read()
    with pytest.raises(InputError, match=why):
        clock.change(wanted)
    assert clock.read() == before
    assert saved == []


def test_a_change_that_cannot_be_saved_does_not_count() -> None:
    def full(_: ClockState) -> None:
        raise SetupError("The disk is full.")

    wall = Wall()
    clock = VenueClock(state_of(Mode.STEPPED), END, full, wall)
    with pytest.raises(SetupError):
        clock.change(ClockChange(advance_ms=1000))
    with pytest.raises(SetupError):
        clock.change(ClockChange(mode=Mode.SPEED))
    assert clock.now() == START
    assert clock.read().mode is Mode.STEPPED


changes = st.one_of(
    st.builds(ClockChange, mode=st.sampled_from(Mode)),
    st.builds(ClockChange, rate=st.decimals("0.001", 3600, places=3)),
    st.builds(ClockChange, advance_ms=st.integers(0, 10**9)),
    st.builds(ClockChange, to_ms=st.integers(START - 10**6, START + 10**9)),
)


@given(st.lists(st.tuples(st.integers(-5000, 5000), st.booleans(), changes), max_size=20))
def test_whatever_happens_venue_time_never_goes_back(
    story: list[tuple[int, bool, ClockChange]],
) -> None:
    wall, saved = Wall(), [state_of()]
    clock = clock_of(wall, saved=saved)
    seen = START
    for wall_moves, restarted, wanted in story:
        wall.ms += wall_moves
        if restarted:
            clock.keep()
            clock = clock_of(wall, saved[-1], saved)
        with suppress(InputError):
            clock.change(wanted)
        assert clock.now() >= seen
        seen = clock.now()
