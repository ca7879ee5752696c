"""What an account and its key are, and what is free in it: asked before a live bot is made."""

from decimal import Decimal

from oxbot.adapters.okx.account_rows import balances_of, config_of, must_be_fit
from oxbot.adapters.okx.client import UNREADABLE
from oxbot.adapters.okx.errors import code_of, read_failure, said_by
from oxbot.adapters.okx.place import Place
from oxbot.adapters.okx.private import Keys, OkxAccount
from oxbot.domain.errors import SetupError
from oxbot.domain.market import QUOTE_CURRENCY
from oxbot.ports import Clock

WRONG_WORLD = "50101"
"""OKX's code for a key of demo trading used for real, or the other way round."""

KEY_ERRORS = frozenset(
    {"50103", "50104", "50105", "50106", "50107", "50110", "50111", "50113", "50119"}
)
"""OKX's codes for a key that is incomplete, unknown, wrong, or used from another address."""


async def free_usdt(keys: Keys, place: Place, clock: Clock) -> Decimal:
    """Give the USDT that are free in a fit account.

    Raises:
        SetupError: OKX does not know the key, or key or account are not fit for live trading.
        VenueUnavailable: OKX does not answer, or with something that cannot be used.
    """
    async with OkxAccount(keys, place, clock) as account:
        try:
            config, balance = await account.config(), await account.balance()
        except UNREADABLE as error:
            _must_know_the_key(error, place)
            raise read_failure(error, "the account", place.timeout_ms) from error
    must_be_fit(config_of(config))
    found = balances_of(balance).get(QUOTE_CURRENCY)
    return found.free if found else Decimal(0)


def _must_know_the_key(error: Exception, place: Place) -> None:
    code = code_of(error)
    if code == WRONG_WORLD:
        other = "real trading" if place.demo else "demo trading"
        raise SetupError(
            f"This OKX API key belongs to {other} ({said_by(error)}): set OXBOT_OKX_DEMO to match."
        ) from error
    if code in KEY_ERRORS:
        raise SetupError(
            f"OKX does not accept the API key ({said_by(error)}): check OKX_API_KEY, "
            "OKX_SECRET_KEY and OKX_PASSPHRASE, the addresses that the key is bound to, and "
            "whether it is of the OKX that OXBOT_OKX_HOST names."
        ) from error
