"""What is gone from an account and taken off a bot's books."""

from pydantic import Field

from oxbot.domain.money import CurrencyAmount
from oxbot.domain.values import Value
from oxbot.records.protection import Claims


class WriteOff(Value):
    """What a person has taken off a bot's books, since it is gone from the account.

    `losses` are amounts by currency, as the person has confirmed them. `id` is the wish's own: it
    is fulfilled once. `at_ms` in venue time.
    """

    id: str
    bot_id: str
    by: str
    reason: str
    losses: dict[str, CurrencyAmount]
    at_ms: int


class SeenAccount(Value):
    """What a write-off rests on: balances by currency, and what was claimed meanwhile."""

    claims: Claims
    has: dict[str, CurrencyAmount] = Field(default_factory=dict)
