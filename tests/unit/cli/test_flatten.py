"""The proof that nothing is left, as people and programs are shown it."""

import io

from rich.console import Console

from oxbot.app.flatten import Flattened
from oxbot.cli import bot_flatten
from oxbot.domain.money import Notional, Quantity
from oxbot.messages import FlattenReport

FLAT = FlattenReport(open_orders=0, positions=0, done=True, status="paused", epoch=3)


def written(*done: Flattened) -> str:
    """What is written to a terminal of 80 columns."""
    stream = io.StringIO()
    console = Console(file=stream, width=80, highlight=False, markup=False)
    bot_flatten.write(console, done)
    return stream.getvalue()


def test_the_proof_counts_open_orders_and_positions() -> None:
    page = written(Flattened(bot_id="b1", report=FLAT), Flattened(bot_id="b2", report=FLAT))
    assert "PostgreSQL: 0 open orders, 0 positions." in page
    assert "NOT FLAT" not in page
    assert max(map(len, page.splitlines())) <= 80


def test_what_is_left_is_not_called_flat_and_says_why() -> None:
    left = FLAT.model_copy(update={"positions": 1, "done": False})
    lost = FLAT.model_copy(update={"done": False})
    page = written(
        Flattened(bot_id="b1", report=left, trouble="it is paused, and sells on"),
        Flattened(bot_id="b2", report=lost, trouble="no workflow"),
    )
    assert "PostgreSQL: 0 open orders, 1 positions. NOT FLAT" in page
    assert "no workflow" in page


def test_dust_is_listed_with_its_value_where_a_price_is_known() -> None:
    dust = {
        "BTC/USDT": Quantity("0.00001"),
        "ETH/USDT": Quantity("3E-12"),
        "XRP/USDT": Quantity("0.4"),
    }
    worth = {"BTC/USDT": Notional("0.601")}
    report = FLAT.model_copy(update={"dust": dust, "dust_value": worth})
    page = written(Flattened(bot_id="b1", report=report))
    assert "0.00001 BTC (0.60" in " ".join(page.split())
    assert "0.000000000003 ETH" in " ".join(page.split())
    assert "0.4 XRP" in " ".join(page.split())


def test_programs_read_the_sums_and_each_bot() -> None:
    left = FLAT.model_copy(update={"open_orders": 2, "done": False})
    found = bot_flatten.document(
        [Flattened(bot_id="b1", report=FLAT), Flattened(bot_id="b2", report=left, trouble="slow")]
    )
    assert (found["open_orders"], found["positions"], found["done"]) == (2, 0, False)
    assert isinstance(found["bots"], list)
    named = [(bot["bot_id"], bot["trouble"]) for bot in found["bots"]]
    assert named == [("b1", ""), ("b2", "slow")]
