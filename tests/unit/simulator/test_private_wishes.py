"""What is asked for: anything is an order, or is refused with OKX's code."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxbot.simulator.private.terms import OrderType, Side, Target
from oxbot.simulator.private.wishes import Fields, ItemError, algo_wish, amended, order_wish
from tests.unit.simulator.desks import open_trading

texts = st.sampled_from(
    ["", "0", "1", "0.01", "-1", "50000", "50000.1", "1e5", "NaN", "9" * 15, "0." + "1" * 15, "½"]
)
scalars = texts | st.none() | st.booleans() | st.text(max_size=3)
exits = st.dictionaries(
    st.sampled_from(["slTriggerPx", "slOrdPx", "tpTriggerPx", "tpOrdPx", "slTriggerPxType"]),
    scalars,
)
fields = st.fixed_dictionaries(
    {
        "tdMode": st.just("cash"),
        "instId": st.just("BTC-USDT"),
        "side": st.sampled_from([*Side, "both"]),
        "ordType": st.sampled_from([*OrderType, "conditional", "oco", "iceberg"]),
    },
    optional={
        "sz": scalars,
        "px": scalars,
        "clOrdId": scalars,
        "tgtCcy": st.sampled_from([*Target, "", "coins"]),
        "attachAlgoOrds": st.lists(exits | scalars, max_size=2) | scalars,
        "newSz": scalars,
        "newSlTriggerPx": scalars,
        "newSlOrdPx": scalars,
        "newTpTriggerPx": scalars,
    },
)


@given(fields, exits)
def test_anything_is_taken_or_is_refused_with_a_code(item: Fields, more: Fields) -> None:
    trading = open_trading()
    now_ms = trading.desk.settle()
    with suppress(ItemError):
        trading.desk.place(trading.books, order_wish(item), now_ms)
    with suppress(ItemError):
        trading.desk.arm(trading.books, algo_wish({**item, **more}), now_ms)
    for algo in trading.books.live_algos:
        with suppress(ItemError):
            sz, protection = amended(item, algo.sz, algo.protection)
            trading.desk.amend_algo(trading.books, algo, sz, protection, now_ms)
    trading.settle()
    assert all(balance >= 0 for balance in trading.books.balances.values())


@pytest.mark.parametrize(
    ("read", "item"),
    [
        (order_wish, {}),
        (order_wish, {"tdMode": "cash", "side": "buy", "ordType": "limit", "px": "1"}),
        (algo_wish, {"tdMode": "cash", "ordType": "conditional"}),
        (algo_wish, {"tdMode": "cash", "ordType": "oco", "slTriggerPx": "1", "slOrdPx": "-1"}),
        (algo_wish, {"tdMode": "cash", "ordType": "trigger", "triggerPx": "1", "orderPx": "-1"}),
    ],
)
def test_what_is_missing_is_named(read: Callable[[Fields], object], item: Fields) -> None:
    with pytest.raises(ItemError, match=r"Parameter \w+ error") as refused:
        read(item)
    assert refused.value.code == "51000"
