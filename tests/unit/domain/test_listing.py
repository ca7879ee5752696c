"""What is said of a symbol that is not listed."""

import pytest

from oxbot.domain.errors import InputError
from oxbot.domain.listing import check_listed

LISTED = ("BTC/USDT", "BCH/USDT", "ETH/USDT", "SOL/USDT")


def test_listed_symbols_pass() -> None:
    check_listed(["ETH/USDT", "BTC/USDT"], LISTED)


def test_each_unlisted_symbol_is_named_with_the_nearest() -> None:
    with pytest.raises(InputError) as caught:
        check_listed(["BTX/USDT", "ETH/USDT", "QQQQQQQ/EUR"], LISTED)
    assert str(caught.value) == (
        "OKX does not list BTX/USDT (nearest: BTC/USDT, ETH/USDT, BCH/USDT); QQQQQQQ/EUR. "
        "Use a spot pair from its list, such as BTC/USDT."
    )
