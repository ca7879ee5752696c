"""What must hold of the account of all live bots, when they have stopped."""

from collections.abc import Mapping
from decimal import Decimal

from chaos_matrix.happened import Happened
from chaos_matrix.record import Claimed
from chaos_matrix.system import BALANCES
from chaos_matrix.verdict import Verdict, Wrong


def judge_account(happened: Happened, balances: Mapping[str, str], claimed: Claimed) -> Verdict:
    """Judge it: each order and stop is some bot's; it has what it began with and what bots say.

    What coins are adrift counts as if a coin were a USDT: any at all is too much.
    """
    verdict = Verdict()
    for order in happened.sent.values():
        if order.name not in claimed.names:
            verdict.doubt(Wrong.LOST, f"{order.name or 'an order without a name'} is nobody's")
    for stop in happened.stops.values():
        if stop.alive and stop.name not in claimed.names:
            verdict.doubt(Wrong.LOST, f"the stop {stop.name or 'without a name'} is nobody's")
    for currency in {*BALANCES, *balances, *claimed.coins}:
        gained = claimed.gained if currency == "USDT" else claimed.coins.get(currency, Decimal(0))
        expected = Decimal(BALANCES.get(currency, 0)) + gained
        verdict.adrift(f"{currency} of the account", Decimal(balances.get(currency, 0)) - expected)
    return verdict
