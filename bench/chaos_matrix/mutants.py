"""Safeguards taken away, one at a time: each must be seen by the oracle."""

from collections.abc import Callable

MUTANTS: dict[str, Callable[[], None]] = {}
"""What is broken by which name, inside a worker's process alone."""


def mutate(name: str) -> None:
    """Take a safeguard away; an empty name leaves everything as it is."""
    if name:
        MUTANTS[name]()
