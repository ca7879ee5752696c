"""The faults in force, and which of them strikes a question."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

from oxbot.model_server.fault_rules import FaultRule


@dataclass
class ActiveRule:
    """A rule in force, and how often it has struck."""

    rule: FaultRule
    used: int = 0

    def strikes(self, nth: int) -> bool:
        """Whether it strikes the nth question."""
        rule = self.rule
        if rule.count is not None and self.used >= rule.count:
            return False
        return rule.probability is None or _draw(rule.seed, nth) < rule.probability


class Faults:
    """The faults in force; of several the first one that strikes counts."""

    def __init__(self) -> None:
        self.active: list[ActiveRule] = []
        self.asked = 0

    def add(self, rules: Iterable[FaultRule]) -> None:
        """Put rules in force after those that are."""
        self.active += [ActiveRule(rule) for rule in rules]

    def clear(self) -> None:
        """Take all rules out of force."""
        self.active = []

    def on_question(self) -> FaultRule | None:
        """Count a question, and give the rule that strikes it."""
        self.asked += 1
        struck = next((active for active in self.active if active.strikes(self.asked)), None)
        if struck is None:
            return None
        struck.used += 1
        return struck.rule


def _draw(seed: int, nth: int) -> float:
    """Give a number from 0 to 1 for a question; the same for the same seed."""
    digest = blake2b(f"{seed}:{nth}".encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") / 2**48
