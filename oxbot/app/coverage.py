"""What live bots say is theirs must be in their account: the sum of them, currency by currency."""

from dataclasses import dataclass

from oxbot.app.ports import Ports
from oxbot.domain.errors import OutcomeUnknown
from oxbot.domain.losses import Lack, lacks_of
from oxbot.domain.market import QUOTE_CURRENCY, base_of
from oxbot.domain.resting import SeenState
from oxbot.records import SeenAccount


@dataclass(frozen=True)
class Coverage:
    """What an account lacks, and what that rests on.

    `moving` says what may change what is lacking within seconds; nothing is said of that.
    """

    seen: SeenAccount
    lacks: tuple[Lack, ...] = ()
    moving: str = ""


async def coverage(ports: Ports, venue: str) -> Coverage:
    """Hold what live bots claim against what the account has.

    What it has beyond that is nobody's, and never sold. Nothing is said of what changes while it
    is read: of currencies in which an order is at the exchange or a stop has just been triggered.

    Raises:
        Unavailable: The exchange or the record does not answer.
    """
    before = await ports.store.claims(venue)
    balances = await ports.account.balances()
    has = {currency: balance.total for currency, balance in balances.items()}
    seen = SeenAccount(claims=before, has=has)
    if await ports.store.claims(venue) != before:
        return Coverage(seen, moving="what live bots have changed while balances were read")
    lacks = lacks_of(before.by_currency(), has)
    busy = {base_of(symbol) for symbol in before.sent}
    if busy:
        busy.add(QUOTE_CURRENCY)
    sold = {lack.currency for lack in lacks if await _is_being_sold(ports, venue, lack.currency)}
    told = [f"an order for {symbol} is at the exchange" for symbol in before.sent]
    told += [f"the stop of {coin} is no longer seen at rest" for coin in sorted(sold)]
    calm = (lack for lack in lacks if lack.currency not in busy | sold)
    return Coverage(seen, tuple(calm), "; ".join(told))


async def _is_being_sold(ports: Ports, venue: str, currency: str) -> bool:
    """Whether a stop of the coin is no longer at rest, which its bot is about to learn."""
    for stop in await ports.store.stops_of_coin(venue, f"{currency}/{QUOTE_CURRENCY}"):
        try:
            seen = await ports.account.see_stop(stop)
        except OutcomeUnknown:
            return True
        if seen.state is not SeenState.RESTING:
            return True
    return False
