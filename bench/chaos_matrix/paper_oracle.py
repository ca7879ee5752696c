"""What must hold of a paper bot: by its fills, and by where the prices went."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal

from chaos_matrix.case import SCALE, ZERO, Case, Held
from chaos_matrix.exits import overstayed, unfounded
from chaos_matrix.record import Row, number
from chaos_matrix.verdict import Verdict, Wrong


def judge(case: Case) -> Verdict:
    """Judge one bot at rest."""
    verdict = Verdict()
    _once(case, verdict)
    _none_lost(case, verdict)
    _control(case, verdict)
    held = _walk(case, verdict)
    _guarded(case, held, verdict)
    _left(case, held, verdict)
    _books(case, verdict)
    return verdict


def _once(case: Case, verdict: Verdict) -> None:
    """No intent is filled twice, and no order beyond its size."""
    done = Counter(
        (o["cycle"], o["symbol"], o["purpose"]) for o in case.record.filled("entry", "decision")
    )
    for what, count in done.items():
        if count > 1:
            verdict.doubt(Wrong.DOUBLED, f"{what} was filled by {count} orders")
    for order in case.record.orders:
        filled = sum((number(f["quantity"]) for f in case.record.fills_of(order["id"])), ZERO)
        if filled > number(order["quantity"]):
            verdict.doubt(Wrong.DOUBLED, f"order {order['id']} is filled beyond its size")


def _none_lost(case: Case, verdict: Verdict) -> None:
    for order in case.record.orders:
        booked = bool(case.record.fills_of(order["id"]))
        if order["state"] == "intended" and order not in case.record.unfinished and not booked:
            continue
        if order["state"] not in ("filled", "refused", "cancelled"):
            verdict.doubt(Wrong.LOST, f"order {order['id']} is {order['state']} at rest")
        elif booked is not (order["state"] == "filled"):
            verdict.doubt(Wrong.LOST, f"order {order['id']} is {order['state']}, booked: {booked}")


def _control(case: Case, verdict: Verdict) -> None:
    """No entry is claimed after a pause or a stop was answered, and a stop is obeyed."""
    if case.is_over and not case.record.is_stopped:
        verdict.doubt(Wrong.CONTROL, "it was stopped, and has not ended")
    for row in case.record.positions if case.is_over else ():
        verdict.doubt(Wrong.CONTROL, f"it was stopped, and still holds {row['symbol']}")
    for asked in case.asked:
        for order in case.record.filled("entry"):
            # One that was filled and is written down as never sent is lost, which is seen above.
            sent_ms = order["sent_at"] or 0
            if sent_ms > asked.wall_ms and order["id"] not in asked.in_flight:
                late_ms = sent_ms - asked.wall_ms
                verdict.doubt(
                    Wrong.CONTROL, f"entry {order['id']} was sent {late_ms} ms after {asked.verb}"
                )


@dataclass
class _Walked:
    """What is held as fills go by, and the one position that may be sold for want of a stop."""

    held: dict[str, Held] = field(default_factory=dict)
    excused: Held | None = None

    def excuses(self, case: Case, position: Held, order: Row) -> bool:
        """Whether it is sold because the exchange has taken no stop; of no second one it is."""
        if not case.has_no_stop or order["purpose"] != "stop":
            return False
        self.excused = self.excused or position
        return self.excused is position


def _walk(case: Case, verdict: Verdict) -> dict[str, Held]:
    """Follow all fills in the order in which they were booked."""
    walked = _Walked()
    orders = {order["id"]: order for order in case.record.orders}
    for order_id in dict.fromkeys(fill["order_id"] for fill in case.record.fills):
        order, fills = orders[order_id], case.record.fills_of(order_id)
        if order["purpose"] == "entry":
            _bought(walked.held, order, fills, verdict)
        else:
            _sold(case, walked, order, fills, verdict)
    return walked.held


def _bought(held: dict[str, Held], order: Row, fills: Sequence[Row], verdict: Verdict) -> None:
    symbol = order["symbol"]
    if symbol in held:
        verdict.doubt(Wrong.DOUBLED, f"{symbol} was bought by {order['id']} and is held already")
    bought = sum((number(f["quantity"]) for f in fills), ZERO)
    paid = sum((number(f["quantity"]) * number(f["price"]) for f in fills), ZERO)
    fees = sum((number(f["fee"]) for f in fills if f["fee_currency"] != "USDT"), ZERO)
    held[symbol] = Held(fills[0]["at"], bought - fees, bought, paid, order)


def _sold(
    case: Case,
    walked: _Walked,
    order: Row,
    fills: Sequence[Row],
    verdict: Verdict,
) -> None:
    symbol, position = order["symbol"], walked.held.get(order["symbol"])
    sold = sum((number(f["quantity"]) for f in fills), ZERO)
    if position is None or sold > position.coins:
        verdict.doubt(Wrong.DOUBLED, f"{order['id']} sold {sold} {symbol}, more than is held")
        return
    lot = case.prices.lot(symbol)
    whole = (position.coins / lot).quantize(Decimal(1), ROUND_DOWN) * lot
    if number(order["quantity"]) != whole and order["purpose"] != "decision":
        verdict.doubt(Wrong.EXIT, f"{order['id']} is for {order['quantity']}, held are {whole}")
    at_ms = fills[-1]["at"]
    why = unfounded(case, position, order, at_ms)
    if why and not walked.excuses(case, position, order):
        verdict.doubt(Wrong.EXIT, f"{order['purpose']} {order['id']} of {symbol}: {why}")
    if why := overstayed(case, position, at_ms):
        verdict.doubt(Wrong.EXIT, f"{symbol} of {position.opened_ms} was {why}")
    position.coins -= sold
    if position.coins < lot:
        del walked.held[symbol]


def _guarded(case: Case, held: dict[str, Held], verdict: Verdict) -> None:
    """What is held has not been beyond its stop for long."""
    until_ms = case.now_ms - case.late_ms
    for symbol, position in held.items():
        if position.opened_ms >= until_ms:
            continue
        low, high = case.prices.extremes(symbol, position.opened_ms, until_ms)
        if low <= position.stop or high >= position.target:
            verdict.doubt(
                Wrong.NAKED,
                f"{symbol} of {position.opened_ms} was beyond stop or target before {until_ms}",
            )


def _left(case: Case, held: dict[str, Held], verdict: Verdict) -> None:
    """What is held has not been held for much longer than the longest hold."""
    for symbol, position in held.items():
        if why := overstayed(case, position, case.now_ms):
            verdict.doubt(Wrong.EXIT, f"{symbol} of {position.opened_ms} was {why}")


def _books(case: Case, verdict: Verdict) -> None:
    """Cash and coins on record are those of the fills."""
    record = case.record
    cash = Decimal(str(record.bot["settings"]["capital"]))
    coins: defaultdict[str, Decimal] = defaultdict(Decimal)
    for fill in record.fills:
        sign = 1 if fill["side"] == "buy" else -1
        size, price, fee = (number(fill[name]) for name in ("quantity", "price", "fee"))
        in_cash = fill["fee_currency"] == "USDT"
        cash -= sign * (size * price).quantize(SCALE, ROUND_HALF_EVEN) + (fee if in_cash else 0)
        coins[fill["symbol"]] += sign * size - (0 if in_cash else fee)
    verdict.adrift("cash", number(record.bot["cash"]) - cash)
    for symbol in {*coins, *(row["symbol"] for row in (*record.positions, *record.dust))}:
        owned = coins[symbol]
        kept = _sum(record.positions, symbol) + _sum(record.dust, symbol)
        verdict.adrift(symbol, (kept - owned) * case.prices.bid(symbol, case.now_ms))
    posted: defaultdict[str, Decimal] = defaultdict(Decimal)
    for posting in record.postings:
        posted[posting["currency"]] += number(posting["amount"])
    for currency, rest in posted.items():
        verdict.adrift(f"postings in {currency}", rest)


def _sum(rows: Iterable[Row], symbol: str) -> Decimal:
    return sum((number(row["quantity"]) for row in rows if row["symbol"] == symbol), ZERO)
