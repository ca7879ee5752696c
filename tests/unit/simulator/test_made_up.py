"""Made-up pairs: as many as wanted, with prices out of nothing."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxbot.domain.errors import InputError
from oxbot.simulator.answers import instrument_row, made_up_ticker_row
from oxbot.simulator.made_up import made_up_pairs
from oxbot.simulator.market import Market
from tests.unit.simulator.markets import DAY_START_MS, random_rows, source_of

PAIRS = made_up_pairs(700)
MARKET = Market(source_of(random_rows(1, 10)), 7)


def test_their_names_count_up() -> None:
    assert list(PAIRS)[:2] == ["X0001-USDT", "X0002-USDT"]
    assert len(PAIRS) == 700
    assert instrument_row(PAIRS["X0700-USDT"], 0)["baseCcy"] == "X0700"


@given(st.sampled_from(list(PAIRS)), st.integers(0, 10**12))
def test_a_ticker_has_a_bid_below_its_ask_on_the_tick(inst_id: str, later_ms: int) -> None:
    listed = PAIRS[inst_id]
    row = made_up_ticker_row(MARKET, listed, DAY_START_MS + later_ms)
    bid, ask = Decimal(row["bidPx"]), Decimal(row["askPx"])
    assert ask - bid == listed.tick
    assert bid > 0
    assert bid % listed.tick == 0
    assert Decimal(row["askSz"]) > listed.minimum
    assert Decimal(row["volCcy24h"]) == Decimal(row["vol24h"]) * Decimal(row["last"])


@pytest.mark.parametrize("count", [-1, 5001])
def test_too_many_are_refused(count: int) -> None:
    with pytest.raises(InputError, match="From 0 to 5000"):
        made_up_pairs(count)
