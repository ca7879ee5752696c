"""The synthetic order book."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxbot.simulator.book import LEVEL_USDT, book_around
from oxbot.simulator.instruments import INSTRUMENTS, plain


@given(st.sampled_from(list(INSTRUMENTS)), st.integers(1, 10**8), st.integers(1, 400))
def test_the_spread_is_one_tick_and_every_tick_has_a_level(
    symbol: str, last: int, depth: int
) -> None:
    listed = INSTRUMENTS[symbol]
    book = book_around(listed, last, depth)
    prices = [level.price for level in (*reversed(book.bids), *book.asks)]
    assert book.bids[0].price == listed.price(last)
    assert {above - below for below, above in pairwise(prices)} == {listed.tick}
    assert prices[0] > 0
    assert len(book.asks) == depth


@given(st.sampled_from(list(INSTRUMENTS)), st.integers(1000, 10**7))
def test_a_level_is_worth_what_the_size_function_says(symbol: str, last: int) -> None:
    listed = INSTRUMENTS[symbol]
    for side in book_around(listed, last, 50):
        for k, level in enumerate(side):
            short = LEVEL_USDT * (100 + k) / 100 - level.price * level.size
            assert 0 <= short < level.price * listed.lot + Decimal("1e-15")
            assert level.size % listed.lot == 0


@pytest.mark.parametrize(
    ("number", "text"),
    [("0E-8", "0"), ("81800.0", "81800"), ("100", "100"), ("1E+3", "1000"), ("0.00001", "0.00001")],
)
def test_numbers_are_written_as_okx_writes_them(number: str, text: str) -> None:
    assert plain(Decimal(number)) == text
