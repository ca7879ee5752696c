"""Live bots of a replay: an account at its simulated exchange, and what it has in the end."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from pydantic import SecretStr

from oxbot.adapters.venue_control import AccountKeys, VenueControl
from oxbot.app.bots import Desk
from oxbot.app.replay import patiently
from oxbot.cli.replay_bots import PlannedBot
from oxbot.domain.bot import Mode
from oxbot.domain.errors import LedgerBroken
from oxbot.domain.market import QUOTE_CURRENCY
from oxbot.domain.money import Notional, plain
from oxbot.settings import Settings

KEYS: Final = AccountKeys(key="replay", secret="of-the-replay", passphrase="of-the-replay")  # noqa: S106 - of a simulated account


def live_of(bots: Sequence[PlannedBot]) -> list[PlannedBot]:
    """Give those that trade live."""
    return [planned for planned in bots if planned.settings.mode is Mode.LIVE]


def with_account(settings: Settings) -> Settings:
    """Give settings with the key of the replay's account, whatever the environment has."""
    return settings.model_copy(
        update={
            "live": "accepted",
            "okx_api_key": SecretStr(KEYS.key),
            "okx_secret_key": SecretStr(KEYS.secret),
            "okx_passphrase": SecretStr(KEYS.passphrase),
        }
    )


def account_environment() -> dict[str, str]:
    """Give what the replay's processes are told of its account."""
    return {
        "OXBOT_LIVE": "accepted",
        "OKX_API_KEY": KEYS.key,
        "OKX_SECRET_KEY": KEYS.secret,
        "OKX_PASSPHRASE": KEYS.passphrase,
    }


async def make_account(venue: VenueControl, bots: Sequence[PlannedBot]) -> None:
    """Make the account with just what its bots begin with; one that is there stays as it is."""
    capital = sum((planned.settings.capital for planned in bots), Notional(0))
    await patiently(lambda: venue.make_account(KEYS, {QUOTE_CURRENCY: plain(capital)}))


async def must_equal(desk: Desk, venue: VenueControl) -> None:
    """Compare the account with the books of its bots, to the last digit.

    Raises:
        LedgerBroken: They differ; says in what.
    """
    claims = await patiently(lambda: desk.store.claims(desk.venue))
    held = await patiently(lambda: venue.account(KEYS.key))
    booked = {QUOTE_CURRENCY: claims.cash.number}
    booked |= {coin: quantity.number for coin, quantity in claims.coins.items()}
    both = {
        currency: (held.get(currency, Decimal(0)), booked.get(currency, Decimal(0)))
        for currency in sorted(held.keys() | booked.keys())
    }
    differing = [
        f"{plain(there)} {currency} there, {plain(here)} booked"
        for currency, (there, here) in both.items()
        if there != here
    ]
    if differing:
        raise LedgerBroken(f"The account and the books of its bots differ: {'; '.join(differing)}.")
