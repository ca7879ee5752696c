"""The faults in force, and what strikes when.

Nothing here knows of HTTP or WebSocket; times are the venue's, in ms UTC. Whether a fault
comes by chance is a hash of what was asked and when it was asked, never a stream of random
numbers, so the same questions at the same venue times meet the same faults, whatever else
was asked in between and whoever was killed on the way.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from hashlib import blake2b

from pydantic import BaseModel, ConfigDict

from oxbot.domain.errors import NotFound
from oxbot.simulator.fault_rules import (
    EVERYTHING,
    ON_ORDERS,
    ON_WEBSOCKET,
    ONLY_AT,
    WEBSOCKET,
    FaultKind,
    FaultRule,
)


class ActiveRule(BaseModel):
    """A rule in force.

    Attributes:
        rule: The rule.
        began_ms: The venue's time when it was added, ms UTC.
        used: How many requests it has struck; a ws_drop's occurrences follow from the time.
    """

    model_config = ConfigDict(extra="forbid")

    rule: FaultRule
    began_ms: int
    used: int = 0

    @property
    def since_ms(self) -> int:
        """When it can strike first, ms UTC."""
        return max(self.began_ms, self.rule.from_ms or 0)

    def in_force(self, now_ms: int) -> bool:
        """Whether its time has come and not gone, and its count is not used up."""
        left = self.rule.count is None or self.used < self.rule.count
        return left and self.since_ms <= now_ms and not self._over(now_ms)

    def drops(self, now_ms: int) -> int:
        """How often a ws_drop that has a count or every_ms has happened up to now."""
        rule = self.rule
        if rule.kind is not FaultKind.WS_DROP or (rule.count, rule.every_ms) == (None, None):
            return 0
        until = now_ms if rule.to_ms is None else min(now_ms, rule.to_ms - 1)
        if until < self.since_ms:
            return 0
        if rule.every_ms is None:
            return 1
        happened = until // rule.every_ms - (self.since_ms - 1) // rule.every_ms
        return happened if rule.count is None else min(happened, rule.count)

    def _over(self, now_ms: int) -> bool:
        return self.rule.to_ms is not None and now_ms >= self.rule.to_ms


class Faults:
    """The faults in force.

    Args:
        active: Rules of an earlier run.
        save: Called with all rules whenever one comes, goes, or a count goes down.
    """

    def __init__(
        self,
        active: Iterable[ActiveRule] = (),
        save: Callable[[list[ActiveRule]], None] = lambda _: None,
    ) -> None:
        self._active = list(active)
        self._save = save
        self._asked: Counter[tuple[str, str]] = Counter()
        self._asked_ms = self._latest_ms = -1
        self._removed_drops = 0

    def add(self, rules: Iterable[FaultRule], now_ms: int = 0) -> None:
        """Put rules in force, from now on; one with a known id takes its place, unused."""
        active = self._active
        for rule in rules:
            named = rule if rule.id else rule.model_copy(update={"id": _free_id(rule, active)})
            others = [one for one in active if one.rule.id != named.id]
            active = [*others, ActiveRule(rule=named, began_ms=now_ms)]
        self._put(active)

    def remove(self, rule_id: str) -> None:
        """Take a rule out of force.

        Raises:
            NotFound: No rule has this id.
        """
        left = [active for active in self._active if active.rule.id != rule_id]
        if len(left) == len(self._active):
            raise NotFound(f"There is no fault rule {rule_id!r}.")
        self._put(left)

    def clear(self) -> None:
        """Take all rules out of force."""
        self._put([])

    def keep(self) -> None:
        """Save the rules as they are; called at the start and before the process ends."""
        self._save(self._active)

    def rules(self) -> list[FaultRule]:
        """The rules, in the order in which they are asked; used-up ones included."""
        return [active.rule for active in self._active]

    def active(self) -> list[ActiveRule]:
        """The rules with their beginnings and counts."""
        return [active.model_copy() for active in self._active]

    def on_request(
        self, endpoint: str, query: str, now_ms: int, method: str = "GET", key: str = ""
    ) -> FaultRule | None:
        """What happens to this request; the first rule that strikes, counted as used.

        Args:
            endpoint: Path under /api/v5/ (market/tickers).
            query: What was asked: the query string, of a POST its body.
            now_ms: The venue's time.
            method: GET or POST.
            key: The API key that has signed it, if any.
        """
        nth = self._nth(endpoint, query, now_ms)
        for active in self._active:
            if not (_meant(active.rule, endpoint, method) and active.in_force(now_ms)):
                continue
            if active.rule.key not in (None, key):
                continue
            if _strikes(active.rule, f"{endpoint}?{query}@{now_ms}#{nth}"):
                self._use(active)
                return active.rule
        return None

    def stale_ms(self, rule: FaultRule) -> int:
        """The venue time at which a rule of kind stale holds the tickers."""
        return next(one.since_ms for one in self._active if one.rule.id == rule.id)

    def ws(self, now_ms: int) -> FaultRule | None:
        """What holds for every WebSocket connection now: a stall, maintenance, a lasting drop.

        A ws_drop with count or every_ms is a moment, not a state: see `ws_drops_until`.
        """
        self._latest_ms = max(self._latest_ms, now_ms)
        return next((one.rule for one in self._active if _on_websocket(one, now_ms)), None)

    def ws_drops_until(self, now_ms: int) -> int:
        """A counter of drops so far: a connection drops when it has grown since it was opened."""
        self._latest_ms = max(self._latest_ms, now_ms)
        return self._removed_drops + sum(active.drops(now_ms) for active in self._active)

    def _nth(self, endpoint: str, query: str, now_ms: int) -> int:
        """How often the same was asked before at the same venue time."""
        if now_ms != self._asked_ms:
            self._asked.clear()
            self._asked_ms = now_ms
        self._asked[endpoint, query] += 1
        return self._asked[endpoint, query] - 1

    def _use(self, active: ActiveRule) -> None:
        active.used += 1
        if active.rule.count is not None:
            self._save(self._active)

    def _put(self, active: list[ActiveRule]) -> None:
        """Save rules, then let them count; drops of those that go stay in the counter."""
        self._save(active)
        gone = [one for one in self._active if all(one is not kept for kept in active)]
        self._removed_drops += sum(one.drops(self._latest_ms) for one in gone)
        self._active = active


def _free_id(rule: FaultRule, active: list[ActiveRule]) -> str:
    """The kind and the first number that no rule has."""
    taken = {one.rule.id for one in active}
    numbers = range(1, len(taken) + 2)
    return next(name for n in numbers if (name := f"{rule.kind}-{n}") not in taken)


def _meant(rule: FaultRule, endpoint: str, method: str) -> bool:
    """Whether a rule is about requests to this endpoint."""
    if rule.kind in ON_WEBSOCKET or rule.endpoint == WEBSOCKET:
        return False
    if (rule.method or ("POST" if rule.kind in ON_ORDERS else method)) != method:
        return False
    if endpoint not in ONLY_AT.get(rule.kind, (endpoint,)):
        return False
    return rule.endpoint == EVERYTHING or f"{endpoint}/".startswith(f"{rule.endpoint}/")


def _strikes(rule: FaultRule, asked: str) -> bool:
    if rule.probability is None:
        return True
    digest = blake2b(f"{rule.seed}:{rule.id}:{asked}".encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") < rule.probability * 2**48


def _on_websocket(active: ActiveRule, now_ms: int) -> bool:
    rule = active.rule
    if rule.kind is FaultKind.MAINTENANCE:
        everywhere = rule.endpoint in (EVERYTHING, WEBSOCKET)
        lasting = everywhere and (rule.count, rule.probability) == (None, None)
    elif rule.kind is FaultKind.WS_DROP:
        lasting = (rule.count, rule.every_ms) == (None, None)
    else:
        lasting = rule.kind is FaultKind.WS_STALL
    return lasting and active.in_force(now_ms)
