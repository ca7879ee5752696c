"""The benchmark of the API works, in its shortest form; what it measures is no matter here."""

from pathlib import Path

from api_bench.figures import percentile
from api_bench.plan import LISTS, Size, path_of
from api_bench.run import Asked, measured


def test_a_percentile_is_the_value_that_so_many_do_not_exceed() -> None:
    values = [float(number) for number in range(1, 101)]
    assert (percentile(values, 0.5), percentile(values, 0.99)) == (50, 99)
    assert percentile([7.0], 0.99) == 7


def test_every_list_is_asked_for_and_a_fifth_is_of_curves() -> None:
    asked = [path_of(number, 1000, 50) for number in range(1000)]
    kinds = [kind for kind, _ in asked]
    assert (kinds.count("lists"), kinds.count("equity")) == (800, 200)
    assert {path.rpartition("/")[2].partition("?")[0] for _, path in asked} == {
        "bots",
        "equity",
        *LISTS,
    }


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
    assert {"lists_p99_ms", "equity_p99_ms", "lists_p99_ms_spread"} <= found.keys()
    assert (found["events_heard"], found["events_lost"]) == (15, 0)
    assert "event_p99_ms" in found
    # Who asks, whose it is, the page; besides what the process does by itself meanwhile.
    assert found["transactions_a_request"] < 12
