"""A mutant is caught by what its loss brings about, and by nothing that is there without it."""

import os
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal

import pytest
from chaos_matrix.mutants import MUTANTS, anew
from chaos_matrix.record import BotRecord
from chaos_matrix.verdict import outcome_of

from oxbot.domain.money import Price, Quantity
from oxbot.domain.orders import Fill, Side
from tests.unit.chaos.story import BOUGHT, BTC, HOLDS, NOW_MS, booked, judged

UNIQUE_KEY = next(mutant for mutant in MUTANTS if mutant.name == "unique-key")

TWICE = replace(
    HOLDS,
    bot={**HOLDS.bot, "cash": Decimal(8000)},
    fills=[*HOLDS.fills, booked("entry", "t1-again", "0.02", "0.00002", "BTC")],
    positions=[{"symbol": BTC, "quantity": Decimal("0.03996")}],
)
"""What is on record where one trade was booked twice."""


@pytest.mark.parametrize(("record", "is_caught"), [(HOLDS, False), (TWICE, True)])
def test_only_what_was_booked_twice_catches_the_loss_of_the_unique_key(
    record: BotRecord, *, is_caught: bool
) -> None:
    outcome = outcome_of((1, "b", "live:suspend"), 1, judged(BOUGHT, record), hit=True)
    assert UNIQUE_KEY.is_caught([outcome]) is is_caught


def test_a_trade_that_is_booked_once_is_booked_under_its_own_name() -> None:
    fill = Fill(
        trade_id="t1",
        order_id="entry",
        symbol=BTC,
        side=Side.BUY,
        quantity=Quantity("0.02"),
        price=Price(50_000),
        fee=Decimal("0.00002"),
        fee_currency="BTC",
        at_ms=NOW_MS,
    )
    assert anew([fill], frozenset()) == [fill]
    [again] = anew([fill], frozenset({"t1"}))
    assert again.trade_id != "t1"
    assert again.model_copy(update={"trade_id": "t1"}) == fill


@pytest.mark.parametrize("mutant", [mutant.name for mutant in MUTANTS])
def test_a_mutant_fits_what_it_takes_the_place_of(mutant: str) -> None:
    """In a process of its own, which is broken from then on."""
    broken = f"from chaos_matrix.mutants import mutate; mutate({mutant!r})"
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", broken], env=paths, check=True)
