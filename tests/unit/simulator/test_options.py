"""From options and a state file to a venue."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from oxbot.domain.errors import InputError, SetupError
from oxbot.simulator.clock import ClockChange, ClockState, Mode
from oxbot.simulator.generator import DEFAULT_START_MS, FIRST_MS
from oxbot.simulator.options import Options, open_venue
from oxbot.simulator.state import load_state, save_state
from oxbot.simulator.timeframes import DAY_MS
from tests.unit.simulator.markets import DAY_START_MS as T0
from tests.unit.simulator.markets import STEP_MS
from tests.unit.simulator.test_files import HEADER, line, write

WALL = 10**6


def later(ms: int) -> int:
    return WALL + ms


def opened(options: Options, wall_ms: int = WALL) -> ClockState:
    """The state that a start with these options keeps."""
    venue = open_venue(options, lambda: wall_ms)
    venue.clock.keep()
    assert options.state is not None
    state = load_state(options.state, venue.clock.read().market, FIRST_MS)
    assert state is not None
    return state


@pytest.fixture
def state_file(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "clock.json"


def test_without_a_state_file_the_start_flags_count(state_file: Path) -> None:
    state = opened(Options(state=state_file, start="2025-02-03T04:05", rate="12.5"))
    assert state.venue_ms == DEFAULT_START_MS + 33 * DAY_MS + (4 * 60 + 5) * 60_000
    assert (state.mode, state.rate) == (Mode.SPEED, Decimal("12.5"))


def test_with_a_state_file_the_venue_goes_on_and_the_start_flags_do_not_count(
    state_file: Path,
) -> None:
    opened(Options(state=state_file, rate="60"))
    again = opened(Options(state=state_file, rate="1", mode="stepped"), later(1000))
    assert again.venue_ms == DEFAULT_START_MS + 60_000
    assert again.rate == 60
    fresh = opened(Options(state=state_file, mode="stepped", fresh=True), later(2000))
    assert (fresh.venue_ms, fresh.mode) == (DEFAULT_START_MS, Mode.STEPPED)


def test_each_change_of_the_clock_is_in_the_file(state_file: Path) -> None:
    venue = open_venue(Options(state=state_file, mode="stepped"), lambda: WALL)
    venue.clock.change(ClockChange(advance_ms=STEP_MS))
    assert json.loads(state_file.read_text())["venue_ms"] == DEFAULT_START_MS + STEP_MS
    assert [path.name for path in state_file.parent.iterdir()] == [state_file.name]


def test_opening_a_venue_writes_nothing(state_file: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules.json"
    rules.write_text('{"kind": "reset"}')
    open_venue(Options(state=state_file, faults=rules))
    assert not state_file.parent.exists()


def test_faults_are_kept_beside_the_state_and_go_on_where_they_were(
    state_file: Path, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.json"
    rules.write_text('[{"kind": "stale"}, {"kind": "reset", "id": "mine", "count": 2}]')
    options = Options(state=state_file, faults=rules, mode="stepped")
    first = open_venue(options, lambda: WALL)
    first.keep()
    first.faults.on_request("public/time", "", first.clock.now())
    first.clock.change(ClockChange(advance_ms=STEP_MS))
    again = open_venue(options, lambda: WALL).faults.active()
    assert [(one.rule.id, one.began_ms, one.used) for one in again] == [
        ("file-1", DEFAULT_START_MS, 0),
        ("mine", DEFAULT_START_MS, 1),
    ]
    rules.write_text('{"kind": "reset", "id": "mine", "count": 3}')
    changed = open_venue(options, lambda: WALL).faults.active()
    assert [(one.rule.id, one.began_ms, one.used) for one in changed] == [
        ("file-1", DEFAULT_START_MS, 0),
        ("mine", DEFAULT_START_MS + STEP_MS, 0),
    ]
    fresh = open_venue(replace(options, fresh=True, faults=None), lambda: WALL)
    assert fresh.faults.rules() == []


def test_broken_fault_rules_of_an_earlier_run_are_refused_until_fresh(state_file: Path) -> None:
    opened(Options(state=state_file))
    kept = state_file.with_suffix(".faults.json")
    kept.write_text('[{"rule": {}}]')
    with pytest.raises(InputError, match=r"clock.faults.json does not hold.*--fresh"):
        open_venue(Options(state=state_file))
    open_venue(Options(state=state_file, fresh=True))


def test_what_is_listed_how_books_look_and_limits_are_as_asked() -> None:
    asked = Options(listed=3, book_usdt="50", book_growth="0", book_spread=2, rate_limits=True)
    venue = open_venue(asked)
    assert [one.id for one in venue.listed("SPOT")][-1] == "X0003-USDT"
    assert len(venue.listed("SWAP")) == 5
    book = venue.market.book("BTC-USDT", 3, venue.clock.now())
    assert book.asks[0].price - book.bids[0].price == Decimal("0.2")
    assert 0 <= 50 - book.asks[2].price * book.asks[2].size < Decimal("0.01")
    assert venue.limits is not None
    assert open_venue(Options()).limits is None


def test_the_state_of_another_market_is_refused_until_fresh(
    state_file: Path, tmp_path: Path
) -> None:
    opened(Options(state=state_file, seed=1))
    write(tmp_path, [HEADER, *map(line, range(10))])
    for other in (
        Options(state=state_file, seed=2),
        Options(state=state_file, seed=1, candles=tmp_path),
    ):
        with pytest.raises(InputError, match=r"belongs to another market.*--fresh"):
            open_venue(other)
    assert opened(Options(state=state_file, seed=2, fresh=True)).market.endswith("seed 2")


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", '{"market": "m"}', '{"market":1,"mode":"x","rate":"1"}', "\x00"],
)
def test_a_broken_state_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "clock.json"
    path.write_text(content)
    with pytest.raises(InputError, match=r"does not hold a clock's state.*--fresh"):
        open_venue(Options(state=path))


def test_a_state_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    state = ClockState("m", Mode.SPEED, Decimal(1), T0, WALL)
    with pytest.raises(SetupError, match="cannot be written"):
        save_state(tmp_path / "file" / "clock.json", state)


def test_a_crash_while_saving_leaves_the_state_before(
    state_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = opened(Options(state=state_file, mode="stepped"))

    def crash(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", crash)
    with pytest.raises(SetupError, match="No space left"):
        save_state(state_file, ClockState(before.market, Mode.SPEED, Decimal(1), T0, WALL))
    monkeypatch.undo()
    assert load_state(state_file, before.market, FIRST_MS) == before


def test_a_market_of_files_starts_26_days_in_or_in_the_middle(tmp_path: Path) -> None:
    write(tmp_path, [HEADER, *map(line, range(10))])
    assert open_venue(Options(candles=tmp_path)).market.source.default_start_ms == T0 + 5 * STEP_MS
    write(tmp_path, [HEADER, *map(line, range(53 * 288))])
    venue = open_venue(Options(candles=tmp_path, mode="stepped"))
    assert venue.clock.now() == T0 + 26 * DAY_MS


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (Options(mode="fast"), "The mode is speed or stepped"),
        (Options(rate="quick"), "The rate is a number"),
        (Options(rate="4000"), "The rate must be from"),
        (Options(seed=-1), "A seed is zero or more"),
        (Options(timeframe="1m"), "generated market has 5m candles only"),
        (Options(start="tomorrow"), "is not a time"),
        (Options(start="2024-11-15"), "lies outside this market"),
        (Options(start="2100-01-01"), "lies outside this market"),
        (Options(listed=5001), "made-up pairs"),
        (Options(book_usdt="much"), "A book's best level is a number"),
        (Options(book_usdt="0"), "A book's best level is worth"),
        (Options(book_usdt="NaN"), "A book's best level is worth"),
        (Options(book_growth="-1"), "A book grows"),
        (Options(book_spread=0), "A book's spread"),
        (Options(rate_limits=True, overall_limit=0), "at least once"),
    ],
)
def test_options_that_cannot_be_are_refused_with_a_sentence(options: Options, why: str) -> None:
    with pytest.raises(InputError, match=why):
        open_venue(options)


def test_a_market_that_ended_while_nobody_was_there_stands_at_its_end(
    state_file: Path, tmp_path: Path
) -> None:
    write(tmp_path, [HEADER, *map(line, range(10))])
    options = Options(state=state_file, candles=tmp_path, rate="3600")
    opened(options)
    venue = open_venue(options, lambda: later(10**10))
    assert venue.clock.read().ended
    assert venue.clock.now() == T0 + 10 * STEP_MS


@pytest.mark.parametrize("quick", [True, False])
def test_only_a_quick_clock_does_not_wait_for_the_disk(
    state_file: Path, monkeypatch: pytest.MonkeyPatch, *, quick: bool
) -> None:
    waits: list[int] = []
    monkeypatch.setattr("os.fsync", waits.append)
    venue = open_venue(Options(state=state_file, mode="stepped", quick=quick))
    moved = venue.clock.change(ClockChange(advance_ms=STEP_MS))
    assert bool(waits) is not quick
    kept = load_state(state_file, moved.market, FIRST_MS)
    assert kept is not None
    assert kept.venue_ms == moved.venue_ms
