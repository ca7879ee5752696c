"""The model server on loopback, and the providers' real clients in front of it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from aiohttp.test_utils import TestServer

from oxbot.adapters.models.choice import dashscope_setup, openai_setup
from oxbot.adapters.models.dashscope import DashScopeModel
from oxbot.adapters.models.openai import OpenAIModel
from oxbot.model_server.faults import Faults
from oxbot.model_server.server import create_app
from oxbot.ports import ChatModel
from tests.activities.models.asking import KEY, settings_for

MakeModel = Callable[..., Awaitable[ChatModel]]
"""Takes key and answer_s, and gives an open client."""


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
async def url(faults: Faults) -> AsyncIterator[str]:
    async with TestServer(create_app(faults)) as server:
        yield str(server.make_url("")).rstrip("/")


@pytest.fixture(params=["dashscope", "openai"])
async def make(request: pytest.FixtureRequest, url: str) -> AsyncIterator[MakeModel]:
    """Opens the client of one SDK; what is asked of one must hold for the other."""
    async with AsyncExitStack() as stack:

        async def opened(key: str = KEY, answer_s: float = 10, at: str = "") -> ChatModel:
            settings = settings_for(at or url, key)
            if request.param == "dashscope":
                qwen = DashScopeModel(dashscope_setup(settings), answer_s)
                return await stack.enter_async_context(qwen)
            compatible = OpenAIModel(openai_setup(settings), answer_s)
            return await stack.enter_async_context(compatible)

        yield opened


@pytest.fixture
async def model(make: MakeModel) -> ChatModel:
    return await make()
