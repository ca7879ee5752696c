"""An account as it is made: a key, what it may do, and what it holds."""

from decimal import Decimal
from enum import StrEnum
from hashlib import blake2b
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from oxbot.domain.errors import InputError

LARGEST: Final = Decimal(10**12)
"""No balance is larger, so that sums of exact products stay within Decimal's 28 digits."""

FINEST: Final = -12
"""Places after the point that a first balance may have."""


MOST_KEYS: Final = 100
"""API keys that an account may have besides its first."""


class Permission(StrEnum):
    """What a key may do, in OKX's words."""

    READ = "read_only"
    TRADE = "trade"
    WITHDRAW = "withdraw"


def _amount(value: object) -> Decimal:
    """A balance out of text; pydantic turns a ValueError into its own error."""
    text = str(value) if isinstance(value, str | Decimal) else ""
    digits = text.replace(".", "", 1)
    if not (text.isascii() and digits.isdigit()):
        raise ValueError('an amount is text, as "1000.50"')
    amount = Decimal(text)
    exponent = amount.as_tuple().exponent
    if amount > LARGEST or not isinstance(exponent, int) or exponent < FINEST:
        raise ValueError(f"an amount is at most {LARGEST} and has at most {-FINEST} places")
    return amount


Amount = Annotated[Decimal, BeforeValidator(_amount)]
Currency = Annotated[str, Field(pattern=r"^[A-Z0-9]{1,12}$")]
Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")]
Secret = Annotated[str, Field(min_length=1, max_length=128)]


class AccountSpec(BaseModel):
    """An account.

    Attributes:
        key: The API key, by which it is known.
        secret: With which requests are signed.
        passphrase: Of the key.
        more_keys: Further API keys of it, with the same secret and passphrase.
        balances: What it begins with, by currency.
        permissions: What the key may do.
        acct_lv: OKX's account mode; 1 is spot.
        pos_mode: OKX's position mode.
        demo: Whether it belongs to demo trading.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: Key
    secret: Secret
    passphrase: Secret
    more_keys: tuple[Key, ...] = Field(default=(), max_length=MOST_KEYS)
    balances: dict[Currency, Amount]
    permissions: tuple[Permission, ...] = (Permission.READ, Permission.TRADE)
    acct_lv: Literal["1", "2", "3", "4"] = "1"
    pos_mode: Literal["net_mode", "long_short_mode"] = "net_mode"
    demo: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """All API keys of it."""
        return (self.key, *self.more_keys)

    @property
    def uid(self) -> str:
        """OKX's number of the account."""
        digest = blake2b(self.key.encode(), digest_size=6).digest()
        return str(10**17 + int.from_bytes(digest, "big"))


def parse_account(content: object) -> AccountSpec:
    """An account out of JSON.

    Raises:
        InputError: What of it cannot be.
    """
    try:
        return AccountSpec.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        why = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            why = f"not known here; an account has {', '.join(AccountSpec.model_fields)}"
        raise InputError(f"No account: {f'{field}: ' if field else ''}{why}.") from error
