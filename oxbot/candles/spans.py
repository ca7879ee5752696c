"""Stretches of time, and what is missing between them."""

from collections.abc import Iterable
from typing import NamedTuple


class Span(NamedTuple):
    """A stretch of time, [from_ms, to_ms) in ms UTC."""

    from_ms: int
    to_ms: int

    @property
    def length_ms(self) -> int:
        """How long it is, in ms."""
        return self.to_ms - self.from_ms


def united(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Join what overlaps or touches; oldest first, empty ones left out."""
    joined: list[Span] = []
    for span in sorted(span for span in spans if span.from_ms < span.to_ms):
        if joined and span.from_ms <= joined[-1].to_ms:
            joined[-1] = Span(joined[-1].from_ms, max(joined[-1].to_ms, span.to_ms))
        else:
            joined.append(span)
    return tuple(joined)


def without(wanted: Span, held: Iterable[Span]) -> tuple[Span, ...]:
    """Give the parts of a span that none of the others holds; oldest first."""
    missing: list[Span] = []
    at_ms = wanted.from_ms
    for span in united(held):
        missing.append(Span(at_ms, min(span.from_ms, wanted.to_ms)))
        at_ms = max(at_ms, span.to_ms)
    missing.append(Span(at_ms, wanted.to_ms))
    return tuple(span for span in missing if span.from_ms < span.to_ms)


def holds(spans: Iterable[Span], inner: Span) -> bool:
    """Tell whether a span lies wholly in the others."""
    return not without(inner, spans)
