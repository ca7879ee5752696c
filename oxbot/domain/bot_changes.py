"""What can change of a bot while it runs, beside its limits, and why the rest cannot."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from pydantic import ValidationError

from oxbot.domain.bot import BotSettings
from oxbot.domain.errors import InputError
from oxbot.domain.models import ModelChoice
from oxbot.domain.money import plain
from oxbot.domain.values import Storable, Value, told

DECIDERS: Final = ("provider", "model", "temperature", "json_object", "json_schema", "fallbacks")
"""Settings that say who decides."""

SPENDING: Final = frozenset({*DECIDERS, "budget_usd"})
"""Settings that say what a bot may cost."""

CHANGEABLE: Final = ("name", *DECIDERS, "prompt_version", "budget_usd", "gate_bp")
"""Settings that a bot reads from the record whenever it needs them."""

_RUNS_BY: Final = (
    "its running workflow was begun with it, and orders and ticks under way rest on it. Make "
    "another bot instead"
)
FIXED: Final[Mapping[str, str]] = {
    "limits": "limits change by themselves: PATCH /bots/{id}/limits, or `oxbot bots limits`",
    "symbols": _RUNS_BY,
    "interval_s": _RUNS_BY,
    "mode": "a bot trades on paper or live from its first order to its last",
    "venue": "prices of two venues do not mix in one ledger",
    "owner": "the limit of an account counts it among the bots of its owner",
    "capital": "all that it has won and lost is measured by what it began with",
}
"""Settings that stay as they were made, and why."""


class Word(Value):
    """Who wants something, and why."""

    by: Storable
    reason: Storable = ""

    @property
    def because(self) -> str:
        """How an event tells it: by whom, and why if that was said."""
        return f"by {self.by}: {self.reason}" if self.reason else f"by {self.by}"


class ChangeSettings(Word):
    """What a person wishes of a bot's settings, by name; what is not named stays."""

    settings: dict[str, object]


class ChangedSettings(Value):
    """The settings that hold from now on, and which of them changed."""

    settings: BotSettings
    changed: tuple[str, ...]


def settings_after(current: BotSettings, wished: Mapping[str, object]) -> BotSettings:
    """Give the settings that hold when those named are changed.

    Another provider decides with its own default model, unless one is named as well.

    Raises:
        InputError: Nothing is named, a name is unknown or fixed, or a value cannot be.
    """
    if not wished:
        raise InputError(f"No setting is named; what can change is {', '.join(CHANGEABLE)}.")
    for name in wished:
        _must_be_changeable(name)
    known = current.model_dump()
    if wished.get("provider", current.provider) != current.provider:
        known |= {"model": "", "json_object": None, "json_schema": None}
    try:
        return BotSettings.model_validate({**known, **wished})
    except ValidationError as error:
        raise InputError(told(error)) from error


def _must_be_changeable(name: str) -> None:
    if name in FIXED:
        raise InputError(f"{name} cannot change: {FIXED[name]}.")
    if name not in CHANGEABLE:
        raise InputError(f"There is no setting {name!r}; what can change is {list_of_names()}.")


def list_of_names() -> str:
    """List what can change."""
    return ", ".join(CHANGEABLE)


def changed_settings(before: BotSettings, after: BotSettings) -> dict[str, tuple[str, str]]:
    """Give the settings that differ, with their old and new values for people."""
    return {
        name: (spoken(getattr(before, name)), spoken(getattr(after, name)))
        for name in CHANGEABLE
        if getattr(before, name) != getattr(after, name)
    }


def spoken(value: object) -> str:
    """Write a setting's value for people, as it can be given again."""
    if value is None:
        return "off"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, tuple):
        return ",".join(_choice(choice) for choice in value) or "none"
    return str(value) or "default"


def _choice(choice: object) -> str:
    if not isinstance(choice, ModelChoice):
        return str(choice)
    return f"{choice.provider}:{choice.model}" if choice.model else str(choice.provider)
