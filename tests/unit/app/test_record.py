"""Writing down how cycles ended, once, with what the account was worth."""

from oxbot.app.record import record_cycles
from oxbot.app.shared import Shared
from oxbot.domain.money import Price
from oxbot.messages import CycleOutcome, Missed, RecordCycles
from tests.support.fakes import BTC
from tests.unit.app.room import BOT, NOW_MS, AbsentBoard, Room

GAP = Missed(ticks=3, from_ms=NOW_MS, until_ms=NOW_MS + 900_000, cause="the bot was late")


def request(*cycles: int, missed: tuple[Missed, ...] = ()) -> RecordCycles:
    outcomes = tuple(CycleOutcome(cycle=n, incarnation=1, due_ms=NOW_MS) for n in cycles)
    return RecordCycles(bot_id=BOT, now_ms=NOW_MS + 5_000, outcomes=outcomes, missed=missed)


async def test_recording_again_changes_nothing(room: Room) -> None:
    await room.bot()
    await room.buy(BTC)
    first = await record_cycles(room.ports, request(1, missed=(GAP,)))
    kept = (dict(room.store.outcomes), dict(room.store.equity_points), list(room.store.missed))
    again = await record_cycles(room.ports, request(1, missed=(GAP,)))
    assert again == first
    assert (room.store.outcomes, room.store.equity_points, room.store.missed) == kept
    assert len(await room.store.events(BOT, 10)) == 1


async def test_what_could_not_be_written_before_is_written_with_the_next(room: Room) -> None:
    await room.bot()
    await record_cycles(room.ports, request(1, 2, 3))
    assert [row.cycle for row in await room.store.cycles(BOT, 10)] == [3, 2, 1]


async def test_equity_is_cash_and_positions_at_bid_with_their_age(room: Room) -> None:
    await room.bot()
    await room.buy(BTC)
    room.reprice(BTC, Price(70_000))
    await room.observe(2)
    done = await record_cycles(room.ports, request(2))
    [held] = done.positions
    assert done.equity == done.cash + held.quantity * Price(70_000)
    assert held.age_ms == 4_999


async def test_without_the_board_what_the_process_was_answered_last_values_positions(
    room: Room,
) -> None:
    await room.bot()
    await room.buy(BTC)
    room.board = AbsentBoard()
    done = await record_cycles(room.ports, request(1))
    [held] = done.positions
    assert done.equity == done.cash + held.quantity * Price(60_000)
    assert (held.age_ms, done.unpriced) == (5_000, ())


async def test_without_any_price_positions_are_valued_at_cost_and_it_is_said(room: Room) -> None:
    await room.bot()
    await room.buy(BTC)
    room.board, room.shared = AbsentBoard(), Shared()
    done = await record_cycles(room.ports, request(1))
    [held] = done.positions
    assert done.equity == done.cash + held.quantity * held.average_price
    assert (held.age_ms, done.unpriced) == (None, (BTC,))
    assert held.unrealised == 0
    assert (BOT, 1) in room.store.outcomes
