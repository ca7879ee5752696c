"""What live bots say is theirs must be in their account: the sum of them, currency by currency."""

from collections.abc import Iterator
from decimal import Decimal

from oxbot.app.ports import Ports
from oxbot.domain.errors import OutcomeUnknown
from oxbot.domain.market import QUOTE_CURRENCY, base_of
from oxbot.domain.money import plain
from oxbot.domain.resting import SeenState
from oxbot.records import Claims


async def not_covered(ports: Ports, venue: str) -> list[str]:
    """Say what the account lacks, in figures; nothing where it has all, or more.

    What it has beyond that is nobody's, and never sold. Nothing is said of what changes while it
    is read: of currencies in which an order is at the exchange or a stop has just been triggered.

    Raises:
        Unavailable: The exchange or the record does not answer.
    """
    before = await ports.store.claims(venue)
    balances = await ports.account.balances()
    if await ports.store.claims(venue) != before:
        return []
    moving = {base_of(symbol) for symbol in before.sent}
    if moving:
        moving.add(QUOTE_CURRENCY)
    has = {currency: balance.total for currency, balance in balances.items()}
    lacking = [lack for lack in _lacking(before, has) if lack[0] not in moving]
    return [_told(*lack) for lack in lacking if not await _is_being_sold(ports, venue, lack[0])]


def _lacking(claims: Claims, has: dict[str, Decimal]) -> Iterator[tuple[str, Decimal, Decimal]]:
    """Give currency, claim and balance where the balance is less."""
    claimed = {QUOTE_CURRENCY: claims.cash.number}
    claimed |= {coin: quantity.number for coin, quantity in claims.coins.items()}
    for currency, amount in sorted(claimed.items()):
        held = has.get(currency, Decimal(0))
        if held < amount:
            yield currency, amount, held


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


def _told(currency: str, claimed: Decimal, held: Decimal) -> str:
    return (
        f"the account has {plain(held)} {currency}, and live bots hold {plain(claimed)}: "
        f"{plain(claimed - held)} {currency} are missing"
    )
