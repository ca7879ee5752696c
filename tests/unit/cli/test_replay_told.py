"""What a replay counts, digests and shows."""

import io
from collections.abc import Callable
from decimal import Decimal

import pytest
from rich.console import Console

from oxbot.app.crossings import Crossings
from oxbot.app.replay_report import BotResult, ReplayReport, causes, longest_age_ms, total
from oxbot.app.statement import FillLine, PostingLine, Statement, TradeLine, ledger_sha256
from oxbot.cli.replay_end import must_agree
from oxbot.cli.replay_progress import metered
from oxbot.cli.replay_table import told
from oxbot.domain.errors import LedgerBroken
from oxbot.domain.money import Notional, Price, Quantity
from oxbot.domain.oracle import Finding, Judgement, Round
from oxbot.domain.orders import Purpose

BEGIN_MS = 1_744_070_400_000
MINUTE_MS = 60_000

FILL = FillLine(
    symbol="BTC/USDT",
    side="buy",
    purpose="entry",
    quantity=Quantity("0.015"),
    price=Price("94985.3"),
    fee=Decimal("0.000015"),
    fee_currency="BTC",
    at_ms=BEGIN_MS,
    seen_ms=BEGIN_MS - 900,
)
TRADE = TradeLine(
    fill=2,
    symbol="BTC/USDT",
    quantity=Quantity("0.014985"),
    entry_price=Price("94985.3"),
    exit_price=Price(95_000),
    fees=Notional("2.85"),
    net_pnl=Notional("-2.6"),
    opened_ms=BEGIN_MS,
    closed_ms=BEGIN_MS + MINUTE_MS,
    exit="stop",
)
POSTING = PostingLine(
    posting="deposit:1", line=1, account="cash", currency="USDT", amount=Decimal(10_000)
)
BOOKS = Statement(bot_id="r001", fills=(FILL,), trades=(TRADE,), postings=(POSTING,))
BOT = BotResult(
    bot_id="r001",
    status="running",
    cycles=8_640,
    trades=120,
    net_pnl=Notional("-1234.56"),
    equity=Notional("8765.44"),
    drift=Decimal(0),
    unbalanced=0,
)
REPORT = ReplayReport(
    name="2025-04-08-0123abcd",
    from_ms=BEGIN_MS,
    to_ms=BEGIN_MS + 720 * 60 * MINUTE_MS,
    cycles=8_640,
    skipped={"observe_market: VenueUnavailable": 2},
    decisions=8_638,
    orders=240,
    fills=240,
    trades=120,
    ends={"stop": 70, "target": 30, "trail": 15, "hold": 5},
    crossings=Crossings(candle_ms=300_000, expected=115, filled_in_their_candle=115, ambiguous=1),
    fees=Notional("350.1"),
    net_pnl=Notional("-1234.56"),
    drift=Decimal(0),
    unbalanced=0,
    longest_entry_price_age_ms=900,
    bots=(BOT,),
    wall_seconds=700.5,
    run_cycles=8_640,
    cycles_per_s=12.33,
    ledger_sha256="0" * 64,
)

Change = Callable[[Statement], Statement]


def changed(**fields: object) -> Change:
    return lambda books: books.model_copy(update=fields)


@pytest.mark.parametrize(
    "change",
    [
        changed(bot_id="r002"),
        changed(fills=(FILL.model_copy(update={"price": Price("94985.4")}),)),
        changed(fills=(FILL.model_copy(update={"at_ms": BEGIN_MS + 1}),)),
        changed(fills=(FILL, FILL)),
        changed(trades=()),
        changed(trades=(TRADE.model_copy(update={"net_pnl": Notional("-2.600000000001")}),)),
        changed(postings=(POSTING.model_copy(update={"account": "capital"}),)),
    ],
)
def test_a_ledger_that_differs_in_anything_has_another_digest(change: Change) -> None:
    assert ledger_sha256([change(BOOKS)]) != ledger_sha256([BOOKS])


def test_the_same_ledger_has_the_same_digest_however_it_is_written_and_ordered() -> None:
    other = BOOKS.model_copy(update={"bot_id": "r002"})
    rewritten = FILL.model_copy(
        update={"quantity": Quantity("0.01500"), "seen_ms": None, "stop": Decimal("0.035")}
    )
    assert ledger_sha256([changed(fills=(rewritten,))(BOOKS)]) == ledger_sha256([BOOKS])
    assert ledger_sha256([other, BOOKS]) == ledger_sha256([BOOKS, other])
    assert ledger_sha256([other]) != ledger_sha256([BOOKS])


def test_skipped_cycles_are_counted_by_step_and_kind_of_error() -> None:
    skipped = [
        "observe_market: VenueUnavailable: HTTP 502 at 1",
        "observe_market: VenueUnavailable: HTTP 502 at 2",
        "decide: no answer within its limit (timed out)",
        "the reply is no decision",
    ]
    assert causes(skipped) == {
        "observe_market: VenueUnavailable": 2,
        "decide: no answer within its limit (timed out)": 1,
        "the reply is no decision": 1,
    }


def test_the_oldest_price_is_that_of_an_entry_and_never_that_of_an_exit() -> None:
    stop = FILL.model_copy(update={"purpose": "stop", "seen_ms": 0})
    unseen = FILL.model_copy(update={"seen_ms": None})
    assert longest_age_ms([FILL, stop, unseen]) == 900
    assert longest_age_ms([stop]) is None


def test_a_fee_in_coins_counts_at_the_price_of_its_fill_and_nothing_is_rounded() -> None:
    in_usdt = FILL.model_copy(update={"fee": Decimal("1.5"), "fee_currency": "USDT"})
    assert total(fill.fee_usdt for fill in (FILL, in_usdt)) == Notional("2.9247795")
    assert total([Notional("9E17"), Notional("1E-18")]) == Decimal(
        "900000000000000000.000000000000000001"
    )


@pytest.mark.parametrize("fault", [{"drift": Decimal("1E-12")}, {"unbalanced": 1}])
def test_books_that_do_not_agree_end_in_an_error(fault: dict[str, object]) -> None:
    must_agree(REPORT, late=False)
    with pytest.raises(LedgerBroken):
        must_agree(REPORT.model_copy(update=fault), late=True)


DOUBT = Finding(
    round=Round(
        bot_id="r001",
        symbol="BTC/USDT",
        entry_price=Price(100),
        stop=Decimal("0.05"),
        target=Decimal("0.1"),
        opened_ms=BEGIN_MS,
        closed_ms=BEGIN_MS + 11 * MINUTE_MS,
        exit=Purpose.STOP,
    ),
    judgement=Judgement.LATE,
    candle_ms=BEGIN_MS + 5 * MINUTE_MS,
    guards=(Purpose.STOP,),
)


def doubted(**figures: int) -> ReplayReport:
    seen = REPORT.crossings.model_copy(update={**figures, "doubts": (DOUBT,)})
    return REPORT.model_copy(update={"crossings": seen})


@pytest.mark.parametrize(
    "figures", [{"expected": 116}, {"others": 1}, {"filled_in_their_candle": 114}]
)
def test_exits_that_the_candles_contradict_end_in_an_error(figures: dict[str, int]) -> None:
    with pytest.raises(LedgerBroken, match="candles"):
        must_agree(doubted(**figures), late=True)


def test_a_late_exit_is_an_error_unless_the_venue_had_faults() -> None:
    late = doubted(filled_in_their_candle=114, late=1)
    must_agree(late, late=True)
    with pytest.raises(LedgerBroken, match="1 later"):
        must_agree(late, late=False)


def test_each_exit_that_the_candles_contradict_is_told() -> None:
    paper = io.StringIO()
    Console(file=paper, width=100).print(told(doubted(filled_in_their_candle=114, late=1)))
    shown = paper.getvalue()
    assert "met 115, filled in their candle 114, 1 later" in shown
    assert "r001 BTC/USDT: late, stop 2025-04-08T00:05:00Z, stop 2025-04-08T00:11:00Z" in shown


def test_the_summary_fits_80_columns_and_names_each_cause() -> None:
    paper = io.StringIO()
    Console(file=paper, width=80).print(told(REPORT))
    shown = paper.getvalue()
    assert max(len(line) for line in shown.splitlines()) <= 80
    for words in (
        "stop 70, target 30",
        "met 115,",
        "2025-04-08-0123abcd",
        "2 cycles: observe_market: VenueUnavailable",
        "900 ms",
    ):
        assert words in shown
    assert "r001 running 8640 120 -1,234.56 8,765.44 0" in " ".join(shown.split())


def test_without_a_terminal_there_are_twenty_lines_whatever_the_number_of_stops(
    capsys: pytest.CaptureFixture[str],
) -> None:
    end_ms = BEGIN_MS + 1_000 * MINUTE_MS
    with metered(Console(file=io.StringIO()), BEGIN_MS, end_ms, BEGIN_MS) as meter:
        for minute in range(1, 1_001):
            meter.show(BEGIN_MS + minute * MINUTE_MS, minute, minute / 10)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 20
    assert lines[0] == "2025-04-08T00:50:00Z 5 % 50 cycles, 10.0/s"
    assert " 100 % 1000 cycles" in lines[-1]


def test_what_was_done_before_is_not_told_again(capsys: pytest.CaptureFixture[str]) -> None:
    end_ms, half_ms = BEGIN_MS + 100 * MINUTE_MS, BEGIN_MS + 50 * MINUTE_MS
    with metered(Console(file=io.StringIO()), BEGIN_MS, end_ms, half_ms) as meter:
        meter.show(half_ms + MINUTE_MS, 1, 1)
    assert capsys.readouterr().err == ""


def test_on_a_terminal_there_is_one_bar_with_time_cycles_and_speed() -> None:
    paper = io.StringIO()
    console = Console(file=paper, width=100, force_terminal=True)
    end_ms = BEGIN_MS + 100 * MINUTE_MS
    with metered(console, BEGIN_MS, end_ms, BEGIN_MS) as meter:
        meter.show(BEGIN_MS + 50 * MINUTE_MS, 10, 4)
    shown = paper.getvalue()
    assert "2025-04-08T00:50:00Z" in shown
    assert "10 cycles, 2.5/s" in shown
