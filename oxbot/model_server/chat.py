"""One question, its answer, and the tokens of both."""

from dataclasses import dataclass, field
from typing import Final

from oxbot.model_server import bad_replies, rule
from oxbot.model_server.fault_rules import FaultKind

CHARACTERS_A_TOKEN: Final = 4
"""Roughly, for English text and figures."""

FINISHED: Final = {FaultKind.CUT: "length", FaultKind.FILTERED: "content_filter"}
"""Why an answer ends; "stop" for all others."""

Message = tuple[str, str]
"""Role and text."""


@dataclass(frozen=True)
class Answer:
    """An answer with its tokens; `cached` are those of the input that were remembered."""

    text: str
    finish_reason: str
    tokens_in: int
    tokens_out: int
    cached: int


@dataclass
class Memory:
    """What providers keep of prompts: a beginning that was seen before costs less."""

    seen: set[str] = field(default_factory=set)

    def cached(self, messages: list[Message]) -> int:
        """Give how many tokens of a prompt's beginning are remembered, and remember it."""
        beginning = messages[0][1]
        known = beginning in self.seen
        self.seen.add(beginning)
        return tokens(beginning) if known else 0


def tokens(text: str) -> int:
    """Count tokens, roughly."""
    return -(-len(text) // CHARACTERS_A_TOKEN)


def answered(messages: list[Message], memory: Memory, kind: FaultKind | None) -> Answer:
    """Answer a question, spoiled as a fault wants it."""
    good = rule.answer("\n".join(text for role, text in messages if role == "user"))
    text = bad_replies.spoiled(kind, good) if kind else good
    return Answer(
        text=text,
        finish_reason=FINISHED.get(kind, "stop") if kind else "stop",
        tokens_in=sum(tokens(said) for _, said in messages),
        tokens_out=tokens(text),
        cached=memory.cached(messages),
    )
