"""Names sorted by a number."""

from bisect import bisect_left, insort
from collections.abc import Iterator
from decimal import Decimal
from typing import Generic, TypeVar

from oxbot.domain.money import Price

Number = TypeVar("Number", int, Decimal, Price)
Name = TypeVar("Name", str, Price)


class Ranks(Generic[Number, Name]):
    """Names in the order of their numbers; both ends are reached without a search."""

    def __init__(self) -> None:
        self._rows: list[tuple[Number, Name]] = []

    def __iter__(self) -> Iterator[tuple[Number, Name]]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def lowest(self) -> Number:
        """The lowest number; IndexError where there is none."""
        return self._rows[0][0]

    def put(self, number: Number, name: Name) -> None:
        """Add a name."""
        insort(self._rows, (number, name))

    def remove(self, number: Number, name: Name) -> None:
        """Take out a name that is there under this number."""
        del self._rows[bisect_left(self._rows, (number, name))]

    def at_most(self, limit: Number) -> Iterator[Name]:
        """Give the names whose number is no more than this, lowest first."""
        for number, name in self._rows:
            if number > limit:
                return
            yield name

    def at_least(self, limit: Number) -> Iterator[Name]:
        """Give the names whose number is no less than this, highest first."""
        for number, name in reversed(self._rows):
            if number < limit:
                return
            yield name
