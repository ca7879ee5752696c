"""`oxbot decisions replay`: recorded cycles decided anew."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from oxbot.adapters.models.choice import open_models
from oxbot.adapters.models.recorded import RecordedModel
from oxbot.adapters.models.reply_files import ReplyFiles
from oxbot.app.decision_replay import ModelChange, Replayed, Variant
from oxbot.app.decision_replays import (
    DecisionReplay,
    Stopped,
    foreknowledge,
    replay_all,
    summed_up,
)
from oxbot.app.prompt import check_version
from oxbot.app.replay_source import Source
from oxbot.app.telling import zone
from oxbot.bootstrap.record import open_seen_cycles
from oxbot.cli import decision_replay_pages, decision_stepped, inputs, output
from oxbot.cli.at_rest import on_record
from oxbot.cli.config_sources import load_settings
from oxbot.cli.counted import counted
from oxbot.cli.decision_stepped import MarketWishes
from oxbot.domain.errors import InputError, ModelUnavailable, NotFound
from oxbot.domain.models import BASELINE, DASHSCOPE, OPENAI, ModelChoice, check_provider
from oxbot.domain.values import told
from oxbot.embedded.paths import DataDirectory
from oxbot.logs import configure_logs
from oxbot.ports import ChatModel
from oxbot.settings import Settings

NEWEST: Final = 50
"""Cycles that are replayed where nobody says which."""

ALL: Final = 10_000_000

AS_IT_WAS: Final = ModelChange()


@dataclass(frozen=True)
class Wishes:
    """What the command line asked for; None where nothing was said."""

    bot_id: str
    cycles: str | None = None
    last: int | None = None
    model: ModelChange = AS_IT_WAS
    prompt_version: str | None = None
    limits: tuple[str, ...] = ()
    keep: bool = False
    recorded: bool = False
    budget: Decimal = Decimal(1)

    @property
    def which(self) -> tuple[str, range | None, int]:
        """The bot, which of its cycles (None: the newest), and how many at most."""
        cycles = inputs.cycle_range(self.cycles)
        most = ALL if cycles is not None else NEWEST
        return self.bot_id, cycles, self.last or most

    def variant(self, settings: Settings) -> Variant:
        """Read what is to be different.

        Raises:
            InputError: Something that cannot be.
        """
        if self.keep and (self.model != AS_IT_WAS or self.prompt_version):
            raise InputError(
                "--keep-decisions asks no model, so a model or a prompt version makes no "
                "difference. Leave one of them out."
            )
        if self.budget < 0:
            raise InputError(f"--budget is {self.budget}; it cannot be below 0.")
        if self.model.provider and not self.recorded:
            check_provider(self.model.provider, settings.model_providers)
        if self.prompt_version is not None:
            check_version(self.prompt_version)
        return Variant(
            model=self.model,
            prompt_version=self.prompt_version,
            limits=dict(inputs.limit_pair(pair) for pair in self.limits),
            keep=self.keep,
        )


def model_change(
    provider: str | None, model: str | None, temperature: str | None, *, json_schema: bool | None
) -> ModelChange:
    """Read who is asked instead. InputError: Something that cannot be."""
    try:
        return ModelChange.model_validate(
            {
                "provider": provider,
                "model": model,
                "temperature": temperature,
                "json_schema": json_schema,
            }
        )
    except ValidationError as error:
        raise InputError(told(error)) from error


def run(wishes: Wishes, market: MarketWishes, *, as_json: bool) -> None:
    """Replay recorded cycles and show what differs.

    Raises:
        InputError: Wishes that cannot be.
        NotFound: There is no such bot, or none of its cycles asked a model.
        ModelUnavailable: The model stopped answering; what was replayed is shown before.
    """
    if market != MarketWishes():
        raise InputError(
            "--candles, --timeframe, --seed, --name and --fresh say which market is driven again, "
            "which only --stepped does."
        )
    settings = load_settings()
    configure_logs(settings.log_format, "error")
    found = asyncio.run(_replayed(settings, wishes, wishes.variant(settings)))
    if as_json:
        output.write_json(decision_replay_pages.document(found))
    else:
        decision_replay_pages.write(output.console(), found, zone(settings.timezone))
    if found.stopped:
        raise ModelUnavailable(found.stopped)


def run_stepped(wishes: Wishes, market: MarketWishes, *, as_json: bool) -> None:
    """Drive the market again, and compare what is earned. Raises as `decision_stepped.run`."""
    settings = load_settings()
    if wishes.keep or wishes.recorded:
        raise InputError(
            "--stepped lets bots decide and trade anew, so --keep-decisions and --recorded do not "
            "go with it; answers that are kept are used in any case."
        )
    variant = wishes.variant(settings)
    decision_stepped.run(wishes.which, variant, market, wishes.budget, as_json=as_json)


async def _replayed(settings: Settings, wishes: Wishes, variant: Variant) -> DecisionReplay:
    directory = settings.model_replies or DataDirectory.of(settings.home).replies
    keeping = settings.model_copy(update={"model_replies": directory})
    async with (
        on_record(settings) as found,
        open_seen_cycles(found) as read,
        open_models(keeping) as models,
    ):
        cycles = await read.asked(*wishes.which)
        if not cycles:
            raise NotFound(
                f"No model was asked in these cycles of bot {wishes.bot_id}; see `oxbot decisions "
                f"list --bot {wishes.bot_id}`."
            )
        answering = _recorded(models, directory) if wishes.recorded else models
        source = Source(answering, wishes.budget)
        done, stopped = await _drive(
            replay_all(read, (wishes.bot_id, cycles), variant, source), len(cycles)
        )
    warnings = [*_foreknown(settings, source, done), *_idle(variant, done)]
    return summed_up(wishes.bot_id, done, source, warnings=warnings, stopped=stopped)


def _recorded(models: Mapping[str, ChatModel], directory: Path) -> dict[str, ChatModel]:
    """Ask nobody but the baseline, which is a rule."""
    recorded = RecordedModel(ReplyFiles(directory))
    return {BASELINE: models[BASELINE], DASHSCOPE: recorded, OPENAI: recorded}


async def _drive(
    replaying: AsyncIterator[Replayed], count: int
) -> tuple[list[Replayed], str | None]:
    """Replay as far as it goes; give that, and why it did not go further."""
    done: list[Replayed] = []
    try:
        with counted("cycles", count) as advance:
            async for one in replaying:
                done.append(one)
                advance(1)
    except Stopped as error:
        return done, str(error)
    return done, None


def _idle(variant: Variant, done: Sequence[Replayed]) -> Iterator[str]:
    """Say of how many cycles a wish about the model changed nothing."""
    idle = sum(one.choice is not None and variant.model.is_idle(one.choice) for one in done)
    if idle:
        yield (
            f"{idle} of {len(done)} cycles were decided by the baseline, a rule that has no "
            "models: nobody was asked for them. Say whom to ask instead with --provider."
        )


def _foreknown(settings: Settings, source: Source, done: Sequence[Replayed]) -> Iterator[str]:
    """Warn of models that may know what came after these cycles."""
    dues: dict[ModelChoice, list[int]] = {}
    for one in done:
        if one.choice is not None and one.choice.provider != BASELINE:
            dues.setdefault(one.choice, []).append(one.due_ms)
    cards = settings.known_cards
    for choice, due in dues.items():
        card = cards.get(choice.model)
        warning = foreknowledge(source.label(choice), card.cutoff if card else None, due)
        if warning:
            yield warning
