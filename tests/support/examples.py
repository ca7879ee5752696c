"""How many examples a property is tried with."""

from hypothesis import settings

FULL = 100
"""What a property is tried with by default."""


def examples(full: int) -> int:
    """Give how many to try where a whole run tries so many; the profile `quick` tries less."""
    default = settings.default.max_examples if settings.default else FULL
    return max(1, full * default // FULL)
