"""The account of all live bots: it has what it began with and what they say, and no more."""

from decimal import Decimal

from chaos_matrix.account_oracle import judge_account
from chaos_matrix.record import Claimed
from chaos_matrix.system import BALANCES
from chaos_matrix.verdict import Wrong

from tests.unit.chaos.story import BOUGHT, armed, taken, told

CLAIMED = Claimed(
    names=frozenset({"entry", "stop"}),
    gained=Decimal("-1000.5"),
    coins={"BTC": Decimal("0.01998")},
)
HAS = {**BALANCES, "USDT": "99998999.5", "BTC": "5.01998"}


def test_an_account_that_has_what_its_bots_say_leaves_no_doubt() -> None:
    assert judge_account(told(BOUGHT), HAS, CLAIMED).sentences == ()


def test_an_order_of_nobodys_is_lost() -> None:
    verdict = judge_account(told([*BOUGHT, taken("9", "stranger")]), HAS, CLAIMED)
    assert verdict.sentences == ("orders_lost: stranger is nobody's",)


def test_an_order_without_a_name_is_nobodys() -> None:
    verdict = judge_account(told([taken("9", "")]), HAS, CLAIMED)
    assert verdict.count(Wrong.LOST) == 1


def test_a_coin_that_no_bot_speaks_of_is_adrift_to_the_last_digit() -> None:
    verdict = judge_account(told(BOUGHT), {**HAS, "SOL": "1000.000000000001"}, CLAIMED)
    assert verdict.drift_usdt == Decimal("1E-12")


def test_money_that_is_missing_is_adrift() -> None:
    verdict = judge_account(told(BOUGHT), {**HAS, "USDT": "99998999.4"}, CLAIMED)
    assert verdict.sentences == ("drift: USDT of the account: -0.1 USDT",)


def test_a_stop_of_nobodys_is_lost() -> None:
    verdict = judge_account(told([*BOUGHT, armed("a2", "stray")]), HAS, CLAIMED)
    assert verdict.sentences == ("orders_lost: the stop stray is nobody's",)
