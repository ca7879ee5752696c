"""What an account is and has, read from OKX's rows and held against what live trading needs."""

from typing import Final

from oxbot.adapters.okx.errors import rows_of
from oxbot.domain.balances import Balance
from oxbot.domain.errors import InputError, SetupError, VenueUnavailable
from oxbot.domain.money import decimal_from
from oxbot.domain.values import Value

CASH_MODES: Final = frozenset({"1"})
"""OKX's account level "spot mode": orders are paid from what is there, nothing is borrowed."""

TRADE, WITHDRAW = "trade", "withdraw"


class AccountConfig(Value):
    """What an account's configuration says: `level` as OKX numbers it, what the key may do."""

    uid: str
    level: str
    permissions: frozenset[str]


def config_of(answer: object) -> AccountConfig:
    """Read the account's configuration.

    Raises:
        VenueUnavailable: The answer cannot be used.
        VenueRefused: OKX said no.
    """
    row = rows_of(answer, "the account's configuration")[0]
    if not isinstance(row, dict):
        raise VenueUnavailable("OKX's answer for the account's configuration has no row.")
    named = {name: row.get(name) for name in ("uid", "acctLv", "perm")}
    if not all(isinstance(value, str) and value for value in named.values()):
        raise VenueUnavailable(f"OKX's answer for the account's configuration lacks some: {named}.")
    return AccountConfig(
        uid=str(named["uid"]),
        level=str(named["acctLv"]),
        permissions=frozenset(part.strip() for part in str(named["perm"]).split(",")),
    )


def must_be_fit(config: AccountConfig) -> None:
    """Refuse a key or an account that live trading must not have.

    Raises:
        SetupError: The key can withdraw, or cannot trade, or the account may borrow.
    """
    if unfit := why_unfit(config):
        raise SetupError(unfit)


def why_unfit(config: AccountConfig) -> str | None:
    """Say that a key can withdraw, or cannot trade, or that the account may borrow."""
    if WITHDRAW in config.permissions:
        return (
            "The OKX API key may withdraw. 0xBot never withdraws, and whoever got hold of such a "
            "key could empty the account: make a key with the permissions read and trade alone, "
            "bound to this machine's address, and delete this one."
        )
    if TRADE not in config.permissions:
        return "The OKX API key may not trade. Make a key with the permissions read and trade."
    if config.level not in CASH_MODES:
        return (
            f"The OKX account is in mode {config.level}, in which orders can borrow. Live bots "
            "trade spot for cash: set the account to spot mode (acctLv 1) at OKX, or use a "
            "sub-account of its own."
        )
    return None


def balances_of(answer: object) -> dict[str, Balance]:
    """Read the balances of all currencies, by currency.

    Raises:
        VenueUnavailable: The answer cannot be used.
        VenueRefused: OKX said no.
    """
    row = rows_of(answer, "the account's balances")[0]
    details = row.get("details") if isinstance(row, dict) else None
    if not isinstance(details, list):
        raise VenueUnavailable("OKX's answer for the account's balances has no details.")
    return dict(_balance(detail) for detail in details)


def _balance(detail: object) -> tuple[str, Balance]:
    if not isinstance(detail, dict) or not isinstance(detail.get("ccy"), str):
        raise VenueUnavailable("A balance in OKX's answer names no currency.")
    try:
        free, frozen = (decimal_from(detail.get(n, ""), n) for n in ("availBal", "frozenBal"))
    except InputError as error:
        raise VenueUnavailable(
            f"OKX's balance of {detail['ccy']} cannot be read: {error}"
        ) from error
    return detail["ccy"], Balance(free=free, frozen=frozen)
