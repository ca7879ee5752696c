"""Fault rules: which answer goes wrong, when, and how; validated from JSON.

All times are the venue's, in ms UTC, unless said otherwise.
"""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from oxbot.domain.errors import InputError

EVERYTHING, WEBSOCKET = "*", "ws"
"""Endpoints that are no path: all of HTTP, and the WebSocket side."""

Ms = Annotated[int, Field(ge=0, le=10**15)]
Count = Annotated[int, Field(ge=1, le=10**9)]


class FaultKind(StrEnum):
    """What goes wrong."""

    TIMEOUT = "timeout"
    RESET = "reset"
    TRUNCATED = "truncated"
    HTML = "html"
    EMPTY = "empty"
    NULLS = "nulls"
    HTTP_429 = "http_429"
    HTTP_502 = "http_502"
    CODE = "code"
    SLOW = "slow"
    CLOCK_SKEW = "clock_skew"
    STALE = "stale"
    MAINTENANCE = "maintenance"
    WS_DROP = "ws_drop"
    WS_STALL = "ws_stall"
    DELAYED_VISIBILITY = "delayed_visibility"
    DUPLICATE_ACK = "duplicate_ack"
    STOP_REJECTED = "stop_rejected"
    WRONG_MODE = "wrong_mode"
    PARTIAL = "partial"


class When(StrEnum):
    """Whether a fault strikes before the request was taken, or after."""

    BEFORE = "before"
    AFTER = "after"


ENTRIES = ("trade/order", "trade/batch-orders")
"""Where orders are placed."""

ONLY_AT = {
    FaultKind.CLOCK_SKEW: ("public/time",),
    FaultKind.STALE: ("market/tickers", "market/ticker"),
    FaultKind.DELAYED_VISIBILITY: (*ENTRIES, "trade/order-algo"),
    FaultKind.DUPLICATE_ACK: (*ENTRIES, "trade/order-algo"),
    FaultKind.STOP_REJECTED: ENTRIES,
    FaultKind.WRONG_MODE: (*ENTRIES, "trade/order-algo"),
    FaultKind.PARTIAL: ENTRIES,
}
"""Endpoints of the kinds that make sense at these alone."""

ON_ORDERS = (
    FaultKind.DELAYED_VISIBILITY,
    FaultKind.DUPLICATE_ACK,
    FaultKind.STOP_REJECTED,
    FaultKind.WRONG_MODE,
    FaultKind.PARTIAL,
)
"""The kinds that strike only where orders are placed: POST requests."""

ON_THE_WAY = (
    FaultKind.TIMEOUT,
    FaultKind.RESET,
    FaultKind.TRUNCATED,
    FaultKind.HTML,
    FaultKind.EMPTY,
    FaultKind.HTTP_429,
    FaultKind.HTTP_502,
    FaultKind.CODE,
    FaultKind.SLOW,
    FaultKind.MAINTENANCE,
)
"""The kinds that can strike before or after a request was taken."""

ON_WEBSOCKET = (FaultKind.WS_DROP, FaultKind.WS_STALL)
"""The kinds that no request meets; their endpoint is "ws"."""

NEEDS = {
    FaultKind.CODE: "code",
    FaultKind.SLOW: "delay_ms",
    FaultKind.CLOCK_SKEW: "skew_ms",
    FaultKind.DELAYED_VISIBILITY: "hidden_ms",
    FaultKind.PARTIAL: "share",
}
"""The parameter that a kind cannot do without, and no other kind takes."""


class FaultRule(BaseModel):
    """One fault, and when it strikes: the next `count` times, by chance, or always.

    Attributes:
        id: By which it is removed; given by `Faults.add` when left out.
        kind: What goes wrong.
        endpoint: Path under /api/v5/, whole segments from the left (market/tickers, market);
            "*" for all of them. The two ws_ kinds are always "ws".
        method: Only requests of this method; None for both.
        key: Only requests that this API key has signed; None for all.
        when: Before the request was taken, or after; a cut answer comes after, all others
            before, unless told otherwise.
        count: Strike so many times. A ws_drop without every_ms happens once.
        probability: Strike with this chance, 0 to 1, each time it is asked.
        seed: Of that chance.
        from_ms: Not before this venue time, ms UTC.
        to_ms: Before this venue time, ms UTC.
        every_ms: A ws_drop happens at each multiple of this many ms of venue time.
        code: OKX's error code, for kind code.
        delay_ms: Wall time until the answer, for kind slow.
        skew_ms: How far public/time is off, for kind clock_skew; may be negative.
        hidden_ms: For so much venue time no answer shows the order, for kind delayed_visibility.
        share: The fraction of an order that is filled at once at most, for kind partial.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: str = Field(default="", max_length=64)
    kind: FaultKind = Field(strict=False)
    endpoint: str = Field(default=EVERYTHING, pattern=r"^(\*|ws|[a-z-]+(/[a-z-]+)*)$")
    method: Literal["GET", "POST"] | None = None
    key: str | None = Field(default=None, pattern=r"^[A-Za-z0-9-]{1,64}$")
    when: When | None = Field(default=None, strict=False)
    count: Count | None = None
    probability: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)
    seed: int = 0
    from_ms: Ms | None = None
    to_ms: Ms | None = None
    every_ms: Annotated[int, Field(ge=1000, le=10**12)] | None = None
    code: str | None = Field(default=None, pattern=r"^[1-9][0-9]{4}$")
    delay_ms: Annotated[int, Field(ge=1, le=60_000)] | None = None
    skew_ms: Annotated[int, Field(ge=-(10**10), le=10**10)] | None = None
    hidden_ms: Annotated[int, Field(ge=1, le=10**10)] | None = None
    share: str | None = Field(default=None, pattern=r"^0(\.[0-9]{1,6})?$")

    @property
    def after(self) -> bool:
        """Whether the request was taken before the fault strikes."""
        if self.when is not None:
            return self.when is When.AFTER
        return self.kind is FaultKind.TRUNCATED

    @model_validator(mode="before")
    @classmethod
    def _at_home(cls, content: object) -> object:
        """The WebSocket's kinds need not say where they are."""
        if isinstance(content, dict) and content.get("kind") in ON_WEBSOCKET:
            return {"endpoint": WEBSOCKET, **content}
        return content

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for kind, name in NEEDS.items():
            if (self.kind is kind) != (getattr(self, name) is not None):
                raise ValueError(f"{name} belongs to kind {kind}, which cannot do without it")
        places = ONLY_AT.get(self.kind)
        if places and self.endpoint not in (EVERYTHING, *places):
            raise ValueError(f"{self.kind} happens at {' and '.join(places)} alone")
        if self.when is not None and self.kind not in ON_THE_WAY:
            raise ValueError(f"when belongs to {', '.join(ON_THE_WAY)}")
        if self.method is not None and self.kind in (*ON_ORDERS, *ON_WEBSOCKET):
            raise ValueError(f"{self.kind} has no method: it strikes where it can")
        if self.key is not None and self.kind in ON_WEBSOCKET:
            raise ValueError(f"{self.kind} strikes connections, whoever has logged in")
        if self.count is not None and self.probability is not None:
            raise ValueError("say count or probability, not both")
        if self.from_ms is not None and self.to_ms is not None and self.from_ms >= self.to_ms:
            raise ValueError("from_ms must lie before to_ms")
        return self._fits_websocket()

    def _fits_websocket(self) -> Self:
        """The WebSocket's kinds have no requests to count, only times."""
        if self.kind not in ON_WEBSOCKET:
            if self.every_ms is not None:
                raise ValueError("every_ms belongs to kind ws_drop")
            if self.endpoint == WEBSOCKET and self.kind is not FaultKind.MAINTENANCE:
                raise ValueError("on ws only ws_drop, ws_stall and maintenance can happen")
            return self
        if self.endpoint != WEBSOCKET:
            raise ValueError(f"{self.kind} is of the endpoint ws, not of {self.endpoint}")
        if self.probability is not None:
            raise ValueError("probability belongs to requests; use every_ms, from_ms and to_ms")
        if self.kind is FaultKind.WS_STALL and (self.count, self.every_ms) != (None, None):
            raise ValueError("a ws_stall lasts from from_ms to to_ms; it has no count, no every_ms")
        if self.every_ms is None and self.count not in (None, 1):
            raise ValueError("more than one ws_drop needs every_ms")
        return self


def parse_rules(content: object) -> list[FaultRule]:
    """Rules out of JSON: one object, or a list of them.

    Raises:
        InputError: A rule that cannot be; which field, and why.
    """
    items = content if isinstance(content, list) else [content]
    try:
        rules = [FaultRule.model_validate(item) for item in items]
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        why = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            why = f"not known here; a rule has {', '.join(FaultRule.model_fields)}"
        raise InputError(f"No fault rule: {f'{field}: ' if field else ''}{why}.") from error
    named = [rule.id for rule in rules if rule.id]
    if twice := {name for name in named if named.count(name) > 1}:
        raise InputError(f"No fault rules: {', '.join(sorted(twice))} is the id of two.")
    return rules
