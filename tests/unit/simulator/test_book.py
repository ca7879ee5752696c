"""The synthetic order book."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxbot.simulator.book import LEVEL_USDT, BookShape, book_around
from oxbot.simulator.instruments import INSTRUMENTS, TRADED, plain


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


shapes = st.builds(
    BookShape,
    level_usdt=st.decimals(1, 10**6, places=2),
    growth_percent=st.decimals(0, 100, places=2),
    spread_ticks=st.integers(1, 50),
)


@given(st.sampled_from(list(TRADED)), st.integers(1000, 10**7), shapes)
def test_a_book_has_the_shape_that_was_asked_for(symbol: str, last: int, shape: BookShape) -> None:
    listed = TRADED[symbol]
    book = book_around(listed, last, 20, shape)
    assert book.asks[0].price - book.bids[0].price == shape.spread_ticks * listed.tick
    for side in book:
        for k, level in enumerate(side):
            wanted = shape.level_usdt * (1 + k * shape.growth_percent / 100)
            short = wanted - level.price * level.size * (listed.contract or 1)
            smallest = level.price * listed.coins(1)
            assert -Decimal("1e-12") <= short < smallest + Decimal("1e-12")


@pytest.mark.parametrize(
    ("number", "text"),
    [("0E-8", "0"), ("81800.0", "81800"), ("100", "100"), ("1E+3", "1000"), ("0.00001", "0.00001")],
)
def test_numbers_are_written_as_okx_writes_them(number: str, text: str) -> None:
    assert plain(Decimal(number)) == text
