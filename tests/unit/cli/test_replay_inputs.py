"""What a replay is asked for: refused early, with the place of what is wrong."""

import json
from functools import cache
from pathlib import Path

import pytest

from oxbot.app.replay import history_begins
from oxbot.candles.csv_files import COLUMNS
from oxbot.cli.replay_bots import planned_bots
from oxbot.cli.replay_inputs import FILE, Inputs, Stretch, open_market
from oxbot.cli.replay_run import Wishes, start_over
from oxbot.domain.bot import DEFAULT_SYMBOLS
from oxbot.domain.errors import Conflict, InputError
from oxbot.settings import Settings
from oxbot.simulator.generator import FIRST_MS, STEP_MS, GeneratedMarket
from oxbot.simulator.options import HISTORY_MS
from oxbot.simulator.venue_time import iso

FROM, TO = "2025-04-08T00:00:00Z", "2025-04-08T02:00:00Z"
LISTED = ("BTC/USDT", "ETH/USDT")


@cache
def market_of(seed: int) -> GeneratedMarket:
    """Weeks that were made once are not made again."""
    return GeneratedMarket(seed)


def inputs(seed: int = 7, end: str = TO, bots: str = "1") -> Inputs:
    stretch = Stretch.of(market_of(seed), FROM, end)
    return Inputs(
        market_sha256=stretch.sha256(),
        timeframe="5m",
        seed=seed,
        from_ms=stretch.from_ms,
        to_ms=stretch.to_ms,
        bots=planned_bots(bots, DEFAULT_SYMBOLS),
    )


def candle_file(folder: Path, count: int, symbol: str = "BTC-USDT") -> Path:
    """So many candles from FIRST_MS on, a tick higher each time."""
    rows = [",".join(COLUMNS)]
    rows += [f"{FIRST_MS + n * STEP_MS},{p},{p},{p},{p},1" for n in range(count) for p in [50 + n]]
    file = folder / f"{symbol}-5m.csv"
    file.write_text("\n".join(rows) + "\n")
    return file


def test_a_replay_goes_on_with_its_inputs_and_with_no_others(tmp_path: Path) -> None:
    home = tmp_path / "replays" / "one"
    inputs().keep(home)
    inputs().keep(home)
    for other, named in (
        (inputs(seed=8), "the candles, --seed"),
        (inputs(end="2025-04-08T03:00:00Z"), "the candles, --to"),
        (inputs(bots="2"), "--bots"),
        (inputs().model_copy(update={"faults": [{"kind": "html"}]}), "--faults"),
    ):
        with pytest.raises(Conflict, match="other inputs") as refused:
            other.keep(home)
        assert f"({named})" in str(refused.value)
    assert Inputs.model_validate_json((home / FILE).read_text()) == inputs()


def test_a_system_that_is_not_a_replays_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    with pytest.raises(Conflict, match="not a replay's"):
        inputs().keep(tmp_path)


def test_started_over_the_directory_takes_other_inputs_and_keeps_what_is_not_ours(
    tmp_path: Path,
) -> None:
    inputs().keep(tmp_path)
    (tmp_path / "postgres").mkdir()
    (tmp_path / "notes.txt").write_text("mine")
    start_over(Settings(home=tmp_path))
    assert not (tmp_path / "postgres").exists()
    inputs(seed=8).keep(tmp_path)
    assert Inputs.model_validate_json((tmp_path / FILE).read_text()) == inputs(seed=8)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_the_name_is_made_of_the_inputs() -> None:
    assert inputs().name == inputs().name
    assert inputs().name.startswith("2025-04-08-")
    assert len({inputs().name, inputs(seed=8).name, inputs(bots="2").name}) == 3


def test_candles_that_no_bot_looks_at_and_the_place_of_the_files_do_not_matter(
    tmp_path: Path,
) -> None:
    start, end = iso(FIRST_MS + 7_300 * STEP_MS), iso(FIRST_MS + 7_310 * STEP_MS)
    digests = set()
    for folder, count in (("short", 7_311), ("long", 7_500)):
        (tmp_path / folder).mkdir()
        candle_file(tmp_path / folder, count)
        market = open_market(tmp_path / folder, "5m", 7)
        digests.add(Stretch.of(market, start, end).sha256())
    assert len(digests) == 1
    file = tmp_path / "long" / "BTC-USDT-5m.csv"
    file.write_text(file.read_text().replace(",7355,1\n", ",7355,2\n"))
    changed = Stretch.of(open_market(tmp_path / "long", "5m", 7), start, end).sha256()
    assert changed not in digests


@pytest.mark.parametrize(
    ("start", "end", "complaint"),
    [
        (TO, FROM, "must lie before"),
        (FROM, FROM, "must lie before"),
        ("yesterday", TO, "is not a time"),
        (FROM, "2095-01-01T00:00:00Z", "beyond the market, which ends"),
        ("2020-01-01T00:00:00Z", TO, "too early.*Begin 2024-12-02T00:00:00Z or later"),
    ],
)
def test_moments_that_cannot_be_are_refused(start: str, end: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        Stretch.of(market_of(7), start, end)


def test_the_earliest_beginning_that_is_named_is_taken_and_one_before_it_is_not(
    tmp_path: Path,
) -> None:
    candle_file(tmp_path, 7_300)
    market, end = open_market(tmp_path, "5m", 7), iso(FIRST_MS + 7_300 * STEP_MS)
    with pytest.raises(InputError) as refused:
        Stretch.of(market, iso(FIRST_MS), end)
    earliest = str(refused.value).split("Begin ")[1].split(" or")[0]
    begun = Stretch.of(market, earliest, end)
    assert history_begins(begun.from_ms) == FIRST_MS
    with pytest.raises(InputError):
        Stretch.of(market, iso(begun.from_ms - 1000), end)
    assert Stretch.of(market_of(7), "2024-12-02", TO).from_ms == FIRST_MS + HISTORY_MS


def test_a_market_that_is_too_short_says_so(tmp_path: Path) -> None:
    candle_file(tmp_path, 20)
    market = open_market(tmp_path, "5m", 7)
    with pytest.raises(InputError, match="too short: bots look back"):
        Stretch.of(market, iso(FIRST_MS + 10 * STEP_MS), iso(FIRST_MS + 15 * STEP_MS))


def test_a_broken_candle_file_is_named_with_its_line(tmp_path: Path) -> None:
    file = candle_file(tmp_path, 20)
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:7], *lines[8:]]) + "\n")
    with pytest.raises(InputError, match=r"BTC-USDT-5m\.csv, line 8: a gap"):
        open_market(tmp_path, "5m", 7)


def test_the_generated_market_has_one_timeframe() -> None:
    with pytest.raises(InputError, match="5m candles only"):
        open_market(None, "1m", 7)


def test_so_many_bots_have_default_settings_and_ids_in_order() -> None:
    bots = planned_bots("12", DEFAULT_SYMBOLS)
    assert [bot.id for bot in bots] == [f"r{n:03}" for n in range(1, 13)]
    assert {bot.settings.symbols for bot in bots} == {DEFAULT_SYMBOLS}
    assert planned_bots("1", LISTED)[0].settings.symbols == LISTED


def test_a_file_says_which_bots_with_which_settings(tmp_path: Path) -> None:
    file = tmp_path / "bots.json"
    entries = [{"id": "a", "settings": {"interval_s": 60, "limits": {"stop": "0.02"}}}, {"id": "b"}]
    file.write_text(json.dumps(entries))
    first, second = planned_bots(str(file), LISTED)
    assert (first.settings.interval_s, str(first.settings.limits.stop)) == (60, "0.02")
    assert (second.id, second.settings.name, second.settings.symbols) == ("b", "b", LISTED)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("[\n{]", r"bots\.json, line 2: "),
        ("{}", r"bots\.json must be a list of 1 to 1000 bots"),
        ("[]", "list of 1 to 1000"),
        ('[{"id": "a"}, {"id": "A!"}]', r"bots\.json, bot 2: id: "),
        ('[{"id": "a"}, {"id": "a"}]', "two bots have the id a"),
        ('[{"id": "a", "seed": 1}]', "bot 1: seed: "),
        ('[{"id": "a", "settings": {"limits": {"stop": 7}}}]', r"bot 1: limits\.stop: "),
        ('[{"id": "a", "settings": {"symbols": ["DOGE/USDT"]}}]', "bot 1: this market has no DOGE"),
        ('[{"id": "a", "settings": {"provider": "oracle"}}]', "bot 1: There is no model provider"),
    ],
)
def test_a_wrong_entry_of_a_file_is_named(tmp_path: Path, content: str, complaint: str) -> None:
    file = tmp_path / "bots.json"
    file.write_text(content)
    with pytest.raises(InputError, match=complaint):
        planned_bots(str(file), LISTED)


@pytest.mark.parametrize("wish", ["0", "1001", "no-such-file.json", "-3"])
def test_a_number_of_bots_that_cannot_be_is_refused(wish: str) -> None:
    with pytest.raises(InputError):
        planned_bots(wish, LISTED)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("[\n{]", r"faults\.json, line 2: "),
        ('[{"kind": "flood"}]', r"faults\.json: No fault rule: kind: "),
        ('[{"kind": "html", "often": 3}]', r"faults\.json: No fault rule: often: not known here"),
    ],
)
def test_a_wrong_fault_rule_is_told_before_anything_starts(
    tmp_path: Path, content: str, complaint: str
) -> None:
    file = tmp_path / "faults.json"
    file.write_text(content)
    wishes = Wishes(FROM, TO, None, "5m", "1", 7, file, None, fresh=False)
    with pytest.raises(InputError, match=complaint):
        wishes.inputs()
