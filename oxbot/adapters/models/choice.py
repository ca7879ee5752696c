"""The models of a system, by provider, as its settings have them."""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from oxbot.adapters.models.baseline import BaselineModel
from oxbot.adapters.models.reply_files import ReplyFiles
from oxbot.adapters.models.setup import UNKNOWN, Setup
from oxbot.app.kept import KeptModel
from oxbot.domain.models import BASELINE, DASHSCOPE, OPENAI
from oxbot.ports import ChatModel
from oxbot.settings import Settings

OPENAI_URL: Final = "https://api.openai.com/v1"

CHATTY: Final = ("httpx", "httpx2")
"""Libraries that log each address they ask, with whatever it holds."""


@asynccontextmanager
async def open_models(settings: Settings) -> AsyncIterator[Mapping[str, ChatModel]]:
    """Open the models of all providers that are set up; an SDK is loaded for its own alone."""
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    models: dict[str, ChatModel] = {BASELINE: BaselineModel()}
    async with AsyncExitStack() as stack:
        if DASHSCOPE in settings.model_providers:
            from oxbot.adapters.models.dashscope import DashScopeModel  # noqa: PLC0415 - a second

            qwen = DashScopeModel(dashscope_setup(settings))
            models[DASHSCOPE] = await stack.enter_async_context(qwen)
        if OPENAI in settings.model_providers:
            from oxbot.adapters.models.openai import OpenAIModel  # noqa: PLC0415 - as above

            compatible = OpenAIModel(openai_setup(settings))
            models[OPENAI] = await stack.enter_async_context(compatible)
        yield _kept(models, settings.model_replies) if settings.model_replies else models


def _kept(models: Mapping[str, ChatModel], directory: Path) -> dict[str, ChatModel]:
    """Look among kept replies first; the baseline is asked itself, being as quick as a file."""
    replies = ReplyFiles(directory)
    return {
        name: model if name == BASELINE else KeptModel(model, replies)
        for name, model in models.items()
    }


def dashscope_setup(settings: Settings) -> Setup:
    """Give DashScope as it is set up; models without a card are asked not to think."""
    return Setup(
        provider=DASHSCOPE,
        address=settings.dashscope_url,
        default_model=settings.dashscope_model,
        key=settings.dashscope_api_key,
        cards=settings.known_cards,
        unknown=UNKNOWN.model_copy(update={"enable_thinking": False}),
    )


def openai_setup(settings: Settings) -> Setup:
    """Give the OpenAI-compatible service as it is set up."""
    return replace(
        dashscope_setup(settings),
        provider=OPENAI,
        address=settings.openai_base_url or OPENAI_URL,
        default_model=settings.openai_model,
        key=settings.openai_api_key,
        unknown=UNKNOWN,
    )
