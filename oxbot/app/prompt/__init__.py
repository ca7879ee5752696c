"""The prompt: what a model is told, from typed facts; the constant part comes first.

    constant.py   the answer's form and what the figures mean: the system message
    limits.py     every limit that the rules enforce
    account.py    cash, costs so far, positions with entry reason and exit plan
    memory.py     how the trades went, and why the last ones began and ended
    lately.py     what became of the last decision
    figures.py    by which figures of a rule that is told
    market.py     each coin: price, perpetual, candles of three lengths

The parts that change least come first. Whoever changes a text raises `PROMPT_VERSION`.
"""

import hashlib
from collections.abc import Mapping
from typing import Final

from oxbot.app.prompt.account import account_told, costs_told, position_told
from oxbot.app.prompt.constant import CONSTANT
from oxbot.app.prompt.lately import lately_told
from oxbot.app.prompt.limits import limits_told
from oxbot.app.prompt.market import HEAD, market_told
from oxbot.app.prompt.memory import memory_told
from oxbot.domain.errors import InputError
from oxbot.domain.memory import Thesis
from oxbot.records import MarketBrief, ModelRequest

PROMPT_VERSION: Final = "2"
"""Of the wording; kept with every decision, so that two of them can be compared."""

Parts = dict[str, list[str]]
"""The parts of the user's message by name, each some lines."""

LEFT_OUT: Final[Mapping[str, frozenset[str]]] = {
    PROMPT_VERSION: frozenset(),
    "2-now": frozenset({"memory", "lately"}),
}
"""The versions there are, and the parts that each leaves out; `2-now` tells of no past trades."""


def check_version(version: str) -> None:
    """Refuse a version that cannot be built.

    Raises:
        InputError: There is none of this name.
    """
    if version not in LEFT_OUT:
        raise InputError(
            f"There is no prompt version {version!r}; there are: {', '.join(LEFT_OUT)}. Prompts of "
            "other versions of 0xBot are on record as text, and cannot be built any more."
        )


def build_request(brief: MarketBrief, version: str = PROMPT_VERSION) -> ModelRequest:
    """Build the messages for a model from the facts, and carry the facts along.

    Raises:
        InputError: There is no such version.
    """
    check_version(version)
    told = (lines for name, lines in parts_of(brief).items() if name not in LEFT_OUT[version])
    facts = "\n".join(line for lines in told for line in lines)
    return ModelRequest(messages=(("system", CONSTANT), ("user", facts)), brief=brief)


def text_of(question: ModelRequest) -> str:
    """Give a question as it is kept on record."""
    return "\n\n".join(f"{role}: {text}" for role, text in question.messages)


def hash_of(question: ModelRequest) -> str:
    """Give the sha256 of that text: what `prompt_hash` of its decision is."""
    return hashlib.sha256(text_of(question).encode()).hexdigest()


def parts_of(brief: MarketBrief) -> Parts:
    """Give the parts of what a model is told of this cycle, in their order."""
    return {
        "limits": [limits_told(brief.limits, brief.fee_rate)],
        "memory": memory_told(brief.memory),
        "account": [account_told(brief.portfolio, brief.quotes), costs_told(brief.memory.costs)],
        "positions": _positions(brief),
        "lately": lately_told(brief.lately),
        "market": [
            HEAD,
            *(market_told(brief.features[s], brief.quotes[s], brief.now_ms) for s in brief.symbols),
        ],
    }


def _positions(brief: MarketBrief) -> list[str]:
    return [
        position_told(
            position,
            brief.memory.theses.get(symbol, Thesis()),
            brief.quotes.get(symbol),
            brief.limits,
            brief.now_ms,
        )
        for symbol, position in sorted(brief.portfolio.positions.items())
    ]
