"""What must hold of a live bot: by the simulator's log, against what is on record."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from chaos_matrix.bare import bare_ms
from chaos_matrix.case import Case
from chaos_matrix.happened import ZERO, Happened, Sent
from chaos_matrix.record import number
from chaos_matrix.verdict import Verdict, Wrong


@dataclass(frozen=True)
class LiveCase:
    """What a live bot is judged by.

    `names` are those of its orders and of its stops.
    """

    case: Case
    happened: Happened
    names: Collection[str]


def judge_live(live: LiveCase) -> Verdict:
    """Judge one live bot at rest."""
    verdict = Verdict()
    sent = live.happened.of(live.names)
    _once(live, sent, verdict)
    _on_record(live, sent, verdict)
    _control(live, sent, verdict)
    held = _walk(live, sent, verdict)
    _stops(live, held, verdict)
    _where(live, sent, held, verdict)
    _bare(live, verdict)
    _money(live, sent, verdict)
    return verdict


def _once(live: LiveCase, sent: list[Sent], verdict: Verdict) -> None:
    """Each name was taken once, and each intent filled once."""
    for name, count in Counter(order.name for order in sent).items():
        if count > 1:
            verdict.doubt(Wrong.DOUBLED, f"{name} was taken {count} times")
    intents = {order["id"]: order for order in live.case.record.orders}
    done = Counter(
        (known["cycle"], known["symbol"], known["purpose"])
        for order in sent
        if order.fills and (known := intents.get(order.name))
        if known["purpose"] in ("entry", "decision")
    )
    for what, count in done.items():
        if count > 1:
            verdict.doubt(Wrong.DOUBLED, f"{what} was filled by {count} orders")


def _on_record(live: LiveCase, sent: list[Sent], verdict: Verdict) -> None:
    """The record has each order and each fill as the exchange has it, and no other."""
    for order in sent:
        if not order.ended:
            verdict.doubt(Wrong.LOST, f"{order.name} is still alive at the exchange")
    traded = {
        (f["tradeId"], Decimal(f["px"]), Decimal(f["sz"]), abs(Decimal(f["fee"])))
        for order in sent
        for f in order.fills
    }
    booked = {
        (f["trade_id"], number(f["price"]), number(f["quantity"]), number(f["fee"]))
        for f in live.case.record.fills
    }
    for fill in traded - booked:
        verdict.doubt(Wrong.LOST, f"trade {fill[0]} happened and is not booked so")
    for fill in booked - traded:
        verdict.doubt(Wrong.LOST, f"trade {fill[0]} is booked and did not happen so")


def _control(live: LiveCase, sent: list[Sent], verdict: Verdict) -> None:
    for asked in live.case.asked:
        for order in sent:
            if order.buys and order.ts > asked.venue_ms and order.name not in asked.in_flight:
                late_ms = order.ts - asked.venue_ms
                verdict.doubt(Wrong.CONTROL, f"{order.name} came {late_ms} ms after {asked.verb}")


def _walk(live: LiveCase, sent: list[Sent], verdict: Verdict) -> Mapping[str, Decimal]:
    """Follow all orders as they came; give what is held in the end."""
    held: defaultdict[str, Decimal] = defaultdict(Decimal)
    for order in sent:
        had = held[order.symbol]
        if order.buys and order.fills and _whole(live, order.symbol, had):
            verdict.doubt(Wrong.DOUBLED, f"{order.symbol} was bought again by {order.name}")
        if order.filled > had and not order.buys:
            verdict.doubt(
                Wrong.DOUBLED, f"{order.name} sold {order.filled} {order.symbol} of {had}"
            )
        if order.of_stop and order.fills and order.size != _whole(live, order.symbol, had):
            verdict.doubt(Wrong.EXIT, f"the stop {order.name} was for {order.size} of {had}")
        held[order.symbol] = _position(live, order.symbol, had + order.coins)
    return held


def _stops(live: LiveCase, held: Mapping[str, Decimal], verdict: Verdict) -> None:
    """What can be sold has a stop at the exchange, for all of it, and no other has one."""
    sellable = {row["symbol"] for row in live.case.record.positions}
    for symbol, coins in held.items():
        stops = live.happened.resting(live.names, symbol)
        guarded = sum((stop.size for stop in stops if stop.stop is not None), ZERO)
        whole = _whole(live, symbol, coins) if symbol in sellable else ZERO
        if guarded < whole:
            verdict.doubt(Wrong.NAKED, f"{whole} {symbol} held, {guarded} with a stop")
        if guarded > whole:
            verdict.doubt(Wrong.EXIT, f"{guarded} {symbol} with a stop, {whole} held")


def _where(live: LiveCase, sent: list[Sent], held: Mapping[str, Decimal], verdict: Verdict) -> None:
    """Stop and target lie where they should of what the coin was bought at, to the tick."""
    entries = {order["id"]: order for order in live.case.record.orders}
    for symbol, coins in held.items():
        bought = [order for order in sent if order.buys and order.symbol == symbol and order.fills]
        entry = entries.get(bought[-1].name) if bought and coins else None
        for stop in live.happened.resting(live.names, symbol) if entry else ():
            for lies, sign, name in ((stop.stop, -1, "stop"), (stop.target, 1, "target")):
                should = bought[-1].average * (1 + sign * number(entry[name])) if entry else ZERO
                if lies is not None and abs(lies - should) > live.case.prices.tick(symbol):
                    verdict.doubt(
                        Wrong.EXIT, f"the {name} of {symbol} lies at {lies}, not {should}"
                    )


def _bare(live: LiveCase, verdict: Verdict) -> None:
    """Nothing was without its stop for longer than it takes to go on after a kill."""
    for symbol, ms in bare_ms(
        live.happened, live.names, live.case.prices, live.case.now_ms
    ).items():
        verdict.bare_ms = max(verdict.bare_ms, ms)
        if ms > live.case.bare_ms:
            verdict.doubt(Wrong.NAKED, f"{symbol} had no stop for {ms} ms")


def _money(live: LiveCase, sent: list[Sent], verdict: Verdict) -> None:
    """Cash and coins on record are what the exchange's fills have made of them."""
    record, prices = live.case.record, live.case.prices
    cash = Decimal(str(record.bot["settings"]["capital"]))
    coins: defaultdict[str, Decimal] = defaultdict(Decimal)
    for order in sent:
        cash += order.cash
        coins[order.symbol] += order.coins
    for row in (*record.positions, *record.dust):
        coins[row["symbol"]] -= number(row["quantity"])
    verdict.adrift("cash at the exchange", number(record.bot["cash"]) - cash)
    for symbol, rest in coins.items():
        worth = rest * prices.bid(symbol, live.case.now_ms)
        verdict.adrift(f"{symbol} at the exchange", worth)


def _position(live: LiveCase, symbol: str, coins: Decimal) -> Decimal:
    """Give what is a position of so many coins: less than a lot is none any more."""
    return coins if coins >= live.case.prices.lot(symbol) else ZERO


def _whole(live: LiveCase, symbol: str, coins: Decimal) -> Decimal:
    lot = live.case.prices.lot(symbol)
    return (coins / lot).quantize(Decimal(1), ROUND_DOWN) * lot
