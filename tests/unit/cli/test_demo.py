"""What the demo shows, at 80 columns, and what it counts."""

import io
from decimal import Decimal

import pytest
from rich.console import Console

from oxbot.adapters.venue_control import VenueTime
from oxbot.app.bots import BotPage
from oxbot.app.market_status import MarketStatus
from oxbot.app.overview import BotLine, HeldCoin
from oxbot.cli import demo_lines, demo_report, demo_table
from oxbot.cli.demo_picture import Links, Picture
from oxbot.domain.bot import Bot, BotSettings, BotStatus
from oxbot.domain.circuit import Circuit, Phase
from oxbot.domain.feed import FeedSource, FeedStatus
from oxbot.domain.market import Quote
from oxbot.domain.money import Notional, Price, Quantity, plain
from oxbot.records import AuditFigures, CycleRow, EventRow, OrderRow

NOW_MS = 1_735_700_000_000
LINKS = Links("http://127.0.0.1:8020", "http://127.0.0.1:8233/namespaces/default/workflows")
BOT = Bot(
    id="demo",
    settings=BotSettings(name="Demo"),
    status=BotStatus.RUNNING,
    epoch=1,
    incarnation=1,
    created_ms=NOW_MS,
)
AUDIT = AuditFigures(
    fills=1,
    cash_stored=Notional("123456.78"),
    cash_recomputed=Notional("123456.78"),
    drift=Decimal(0),
    unbalanced=0,
)
CYCLE = CycleRow(
    cycle=12_345,
    incarnation=1,
    due_ms=NOW_MS,
    state="completed",
    skipped=None,
    decision="Buy BTC/USDT.",
    orders=1,
    equity=Notional("123450.1"),
    recorded_ms=NOW_MS,
)
ORDER = OrderRow(
    id="o",
    cycle=12_345,
    symbol="BTC/USDT",
    side="sell",
    purpose="stop",
    quantity=Quantity("0.1"),
    state="filled",
    reason="",
    filled=Quantity("0.1"),
    price=Price("94985.3"),
)
HELD = HeldCoin(
    symbol="BTC/USDT",
    quantity=Quantity("0.12345678"),
    cost=Notional("11726.5"),
    average_price=Price("94985.3"),
    stop_price=Price("91660.8"),
    target_price=Price("101634.2"),
    opened_ms=NOW_MS,
    bid=Price(94_000),
    unrealised=Notional("-121.5"),
    price_ms=NOW_MS,
)
QUOTE = Quote(
    symbol="BTC/USDT",
    bid=Price(94_000),
    ask=Price("94000.1"),
    last=Price(94_000),
    volume_24h=Quantity(1_000),
    exchange_ms=NOW_MS,
    received_ms=NOW_MS,
    source="stream",
)
MARKET = MarketStatus(
    venue="okx-simulated",
    wall_ms=NOW_MS,
    venue_ms=NOW_MS,
    feed=FeedStatus(
        source=FeedSource.STREAM, since_ms=NOW_MS - 600_000, reported_ms=NOW_MS, gaps=3
    ),
    prices={},
    breakers=(Circuit(target="okx-simulated"),),
)


def picture(
    *cycles: CycleRow,
    events: tuple[EventRow, ...] = (),
    unanswered: str = "",
    market: MarketStatus = MARKET,
) -> Picture:
    page = BotPage(
        bot=BOT,
        view=None,
        unanswered=unanswered or None,
        cycles=cycles,
        orders=(ORDER,) if cycles else (),
        trades=(),
        events=events,
        cash=AUDIT.cash_stored,
    )
    line = BotLine(
        bot=BOT,
        last=cycles[0] if cycles else None,
        equity=cycles[0].equity or AUDIT.cash_stored if cycles else AUDIT.cash_stored,
        cash=AUDIT.cash_stored,
        positions=(HELD,) if cycles else (),
        quotes={"BTC/USDT": QUOTE} if cycles else {},
    )
    time = VenueTime(
        venue_ms=NOW_MS + 42_000, rate=Decimal(30), mode="speed", ended=False, market="m"
    )
    missed = ("7 ticks were missed.",)
    return Picture(line=line, page=page, audit=AUDIT, market=market, time=time, missed=missed)


def drawn(seen: Picture | None, trouble: str = "") -> str:
    paper = io.StringIO()
    Console(file=paper, width=80).print(demo_table.render(seen, LINKS, trouble))
    return paper.getvalue()


def test_the_table_shows_prices_with_ages_and_what_is_held_in_80_columns() -> None:
    shown = drawn(picture(CYCLE))
    assert max(len(line) for line in shown.splitlines()) <= 80
    (btc,) = [line for line in shown.splitlines() if line.startswith("BTC")]
    assert btc.split() == [
        *("BTC", "94,000.00", "42", "s", "stream", "0.12345678"),
        *("94,985.30", "91,660.80", "101,634.20", "-121.50"),
    ]
    for word in ("cycle 12345", "123,450.10", "decision (baseline) Buy BTC/USDT.", "sell BTC"):
        assert word in shown
    assert "7 ticks were missed." in shown
    assert LINKS.web_ui in shown


def test_the_table_says_where_prices_come_from_and_who_is_not_asked() -> None:
    assert "Prices of okx-simulated by stream for 10 min (3 gaps, 0 reconnects)." in drawn(
        picture(CYCLE)
    )
    opened = Circuit(
        target="okx-simulated",
        phase=Phase.OPEN,
        failures=5,
        reason="no answer",
        opened_ms=NOW_MS,
        retry_ms=NOW_MS + 30_000,
        venue_retry_ms=NOW_MS + 30_000,
    )
    shown = drawn(picture(CYCLE, market=MARKET.model_copy(update={"breakers": (opened,)})))
    assert "okx-simulated is not asked: circuit open since 2025-01-01" in shown
    assert "no answer" in shown


def test_before_the_first_cycle_there_is_no_price_and_none_is_made_up() -> None:
    shown = drawn(picture())
    assert "waiting for the first cycle" in shown
    (btc,) = [line for line in shown.splitlines() if line.startswith("BTC")]
    assert set(btc.split()[1:]) == {"-"}


def test_a_server_that_is_away_is_said_under_what_was_seen_last() -> None:
    shown = drawn(picture(CYCLE, unanswered="No worker answers."), "PostgreSQL is away.")
    assert "No worker answers." in shown
    assert "PostgreSQL is away." in shown
    assert "PostgreSQL is away." in drawn(None, "PostgreSQL is away.")


def test_a_skipped_cycle_says_why() -> None:
    skipped = CYCLE.model_copy(update={"skipped": "no prices"})
    assert "cycle 12345 skipped: no prices" in drawn(picture(skipped))


def test_without_a_terminal_each_thing_is_told_once() -> None:
    event = EventRow(kind="paused", text="Paused by ann.", at_ms=NOW_MS + 1)
    teller = demo_lines.Teller(NOW_MS)
    first = teller.news(picture(CYCLE, events=(event,)))
    assert [line.split()[0] for line in first] == ["Paused", "cycle"]
    assert teller.news(picture(CYCLE, events=(event,))) == []
    following = CYCLE.model_copy(update={"cycle": 12_346})
    (line,) = teller.news(picture(following, CYCLE, events=(event,)))
    assert line.startswith("cycle 12346 at ")


def test_what_an_earlier_start_recorded_is_not_told_again_as_new() -> None:
    earlier = CYCLE.model_copy(update={"recorded_ms": NOW_MS - 1})
    teller = demo_lines.Teller(NOW_MS)
    assert teller.news(picture(earlier)) == ["Going on after cycle 12345"]
    following = CYCLE.model_copy(update={"cycle": 12_346})
    (line,) = teller.news(picture(following, earlier))
    assert line.startswith("cycle 12346 at ")


def test_a_first_start_goes_on_after_nothing() -> None:
    (line,) = demo_lines.Teller(NOW_MS).news(picture(CYCLE))
    assert line.startswith("cycle 12345 at ")


def test_only_an_exit_that_sold_something_counts() -> None:
    orders = [
        ORDER,
        ORDER.model_copy(update={"purpose": "target"}),
        ORDER.model_copy(update={"filled": Quantity(0)}),
        ORDER.model_copy(update={"purpose": "entry"}),
    ]
    skipped = CYCLE.model_copy(update={"skipped": "x", "decision": ""})
    found = demo_report.figures([CYCLE, skipped], orders, fills=3)
    assert found.exits == {"stop": 1, "target": 1, "total": 2}
    assert (found.cycles, found.decisions, found.skipped, found.orders) == (2, 1, 1, 4)


@pytest.mark.parametrize(
    ("amount", "told"), [("0E-18", "0"), ("1.500", "1.5"), ("-20.00", "-20"), ("1E+4", "10000")]
)
def test_amounts_are_told_without_trailing_zeros(amount: str, told: str) -> None:
    assert plain(Decimal(amount)) == told
