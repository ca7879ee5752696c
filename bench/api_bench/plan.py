"""How large the record is, and what is asked of it."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Self

LISTS: Final = ("cycles", "orders", "trades", "fills", "ledger", "decisions", "events")
"""The lists of a bot that are asked for, besides the list of bots."""

WARM_UP: Final = 160
"""Requests before those that are measured: connections, plans and caches come once."""

NAME: Final = "bench"
PASSWORD: Final = "a long way to go"  # noqa: S105 - of a scratch database


@dataclass(frozen=True)
class Size:
    """What is put on record; `long_points` is of each of `long_bots`, beside their cycles."""

    bots: int = 1_000
    fills: int = 100_000
    cycles: int = 200
    long_bots: int = 10
    long_points: int = 50_000

    @property
    def fills_a_bot(self) -> int:
        """Fills of each bot: half of them buy, half of them sell."""
        return self.fills // self.bots // 2 * 2


@dataclass(frozen=True)
class Load:
    """What is asked: `rate` requests a second for so many seconds, of the API at `url`.

    `mix` names what of. Then `clients` follow its live events, of which there are so many, so
    many a second.
    """

    url: str
    rate: int
    seconds: int
    bots: int
    limit: int
    clients: int = 200
    events: int = 200
    events_a_second: int = 10
    mix: str = "lists"

    @property
    def requests(self) -> int:
        return self.rate * self.seconds

    def of_single_bots(self) -> Self:
        """Give what is asked of single bots, at a tenth of the rate: people look at one each."""
        return replace(self, mix="bots", rate=max(2, self.rate // 10))

    def as_json(self) -> dict[str, Any]:  # Any: as JSON has it
        return asdict(self)


def bot_id(number: int) -> str:
    return f"bench-{number}"


def path_of(number: int, load: Load) -> tuple[str, str]:
    """Give what the request of this number asks for: its kind and its path. Bots follow each other.

    Of ten requests for lists eight are for pages of a bot's lists and of the list of bots, two
    for equity curves of the default length. Those of single bots are for their pages and for
    their statistics, in turn.
    """
    return MIXES[load.mix](number, bot_id(1 + number * 7 % load.bots), load.limit)


def _of_lists(number: int, bot: str, limit: int) -> tuple[str, str]:
    turn = number % 10
    if turn in (4, 9):
        return "equity", f"/bots/{bot}/equity"
    if turn == 0:
        return "lists", f"/bots?limit={limit}"
    name = LISTS[(turn + number // 10) % len(LISTS)]
    return "lists", f"/bots/{bot}/{name}?limit={limit}"


def _of_bots(number: int, bot: str, _limit: int) -> tuple[str, str]:
    return ("statistics", f"/bots/{bot}/statistics") if number % 2 else ("bot", f"/bots/{bot}")


MIXES: Final[dict[str, Callable[[int, str, int], tuple[str, str]]]] = {
    "lists": _of_lists,
    "bots": _of_bots,
}
