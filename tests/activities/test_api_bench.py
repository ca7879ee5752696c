"""The benchmark of the API works, in its shortest form; what it measures is no matter here."""

from pathlib import Path

from api_bench.figures import missed, percentile
from api_bench.plan import LISTS, Load, Size, path_of
from api_bench.run import Asked, measured

LOAD = Load(url="", rate=200, seconds=5, bots=1000, limit=50)


def test_a_percentile_is_the_value_that_so_many_do_not_exceed() -> None:
    values = [float(number) for number in range(1, 101)]
    assert (percentile(values, 0.5), percentile(values, 0.99)) == (50, 99)
    assert percentile([7.0], 0.99) == 7


def test_every_list_is_asked_for_and_a_fifth_is_of_curves() -> None:
    asked = [path_of(number, LOAD) for number in range(1000)]
    kinds = [kind for kind, _ in asked]
    assert (kinds.count("lists"), kinds.count("equity")) == (800, 200)
    assert {path.rpartition("/")[2].partition("?")[0] for _, path in asked} == {
        "bots",
        "equity",
        *LISTS,
    }


def test_single_bots_are_asked_for_in_turn_at_a_tenth_of_the_rate() -> None:
    load = LOAD.of_single_bots()
    assert load.rate == 20
    asked = [path_of(number, load) for number in range(4)]
    assert asked == [
        ("bot", "/bots/bench-1"),
        ("statistics", "/bots/bench-8/statistics"),
        ("bot", "/bots/bench-15"),
        ("statistics", "/bots/bench-22/statistics"),
    ]


def test_each_goal_that_is_missed_or_unknown_is_said() -> None:
    met = {"lists_p99_ms": 49.9, "equity_p99_ms": 1.0, "event_p99_ms": 99.9}
    assert missed(met) == []
    assert missed({**met, "equity_p99_ms": 50.0}) == [
        "equity_p99_ms is 50.0, and should be below 50."
    ]
    del met["event_p99_ms"]
    assert missed(met) == ["event_p99_ms is unknown, and should be below 100."]


async def test_a_short_run_answers_every_request_with_few_statements(tmp_path: Path) -> None:
    size = Size(bots=5, fills=50, cycles=6, long_bots=1, long_points=700)
    found = await measured(tmp_path, size, Asked(5, 4, clients=3, events=5))
    assert found["errors"] == 0
    assert found["rows"] == {
        "bots": 5,
        "fills": 50,
        "orders": 50,
        "ledger_entries": 150,
        "equity_points": 730,
    }
    assert (found["lists_requests"], found["equity_requests"]) == (16, 4)
    assert (found["bot_requests"], found["statistics_requests"]) == (4, 4)
    kinds = ("lists", "equity", "bot", "statistics")
    assert {f"{kind}_p99_ms" for kind in kinds} <= found.keys()
    assert (found["events_heard"], found["events_lost"]) == (15, 0)
    assert "event_p99_ms" in found
    # Who asks and the page; besides what the process does by itself meanwhile.
    assert found["transactions_a_request"] < 11
