"""Order ids: the same purpose gives the same id, another purpose another."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxbot.domain.orders import OrderKey, OrderState, Purpose

pytestmark = pytest.mark.critical

WORDS = st.text(string.ascii_lowercase + string.digits + "-", min_size=1, max_size=20)
KEYS = st.builds(
    OrderKey,
    installation=WORDS,
    bot_id=WORDS,
    incarnation=st.integers(1, 10**6),
    cause=WORDS,
    symbol=st.sampled_from(["BTC/USDT", "ETH/USDT", "XRP/USDT"]),
    purpose=st.sampled_from(Purpose),
    attempt=st.integers(1, 99),
)


@given(KEYS)
def test_an_id_is_what_okx_accepts_and_never_changes(key: OrderKey) -> None:
    assert len(key.order_id) == 32
    assert set(key.order_id) <= set(string.ascii_lowercase + string.digits)
    assert OrderKey.model_validate_json(key.model_dump_json()).order_id == key.order_id


@given(st.lists(KEYS, unique=True, min_size=2, max_size=30))
def test_different_purposes_never_share_an_id(keys: list[OrderKey]) -> None:
    assert len({key.order_id for key in keys}) == len(keys)


def test_the_parts_of_a_key_cannot_be_shifted_into_each_other() -> None:
    one = OrderKey(
        installation="a",
        bot_id="b1",
        incarnation=1,
        cause="1c",
        symbol="X/Y",
        purpose=Purpose.STOP,
    )
    other = one.model_copy(update={"incarnation": 11, "cause": "c"})
    assert one.order_id != other.order_id


def test_an_id_stays_the_same_from_version_to_version() -> None:
    """An order under way during an upgrade is looked up by this very id."""
    key = OrderKey(
        installation="local",
        bot_id="b1",
        incarnation=3,
        cause="c17",
        symbol="BTC/USDT",
        purpose=Purpose.ENTRY,
    )
    assert key.order_id == "berabbunsmksxv7ig3xutghlhacuvodl"


def test_only_filled_refused_and_cancelled_are_final() -> None:
    final = {state for state in OrderState if state.is_final}
    assert final == {OrderState.FILLED, OrderState.REFUSED, OrderState.CANCELLED}
    assert [purpose for purpose in Purpose if not purpose.is_exit] == [Purpose.ENTRY]
