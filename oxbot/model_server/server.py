"""The server: on 127.0.0.1 only, until SIGINT or SIGTERM."""

import asyncio
import json
import os
import sys
from typing import Final

from aiohttp import web

from oxbot.domain.errors import OxbotError
from oxbot.loopback import HOST, serve
from oxbot.model_server.chat import Memory
from oxbot.model_server.control import Control
from oxbot.model_server.dashscope import DashScope
from oxbot.model_server.faults import Faults
from oxbot.model_server.openai import OpenAI

DEFAULT_PORT: Final = 8022


def create_app(faults: Faults | None = None) -> web.Application:
    """The server's application; `faults` for who wants a hand on them without HTTP."""
    struck, memory = faults or Faults(), Memory()
    app = web.Application()
    for side in (DashScope(struck, memory), OpenAI(struck, memory), Control(struck)):
        app.add_routes(side.routes())
    return app


def run(port: int, *, as_json: bool) -> int:
    """Serve until a signal comes.

    Returns:
        The exit code: 0 after a signal, 1 with one sentence on stderr if it cannot serve,
        130 if it was interrupted before it could listen.
    """

    def greeting(bound: int) -> str:
        return _greeting(bound, as_json=as_json)

    who, variable = "The model server", "OXBOT_MODEL_SERVER_PORT"
    try:
        asyncio.run(serve(create_app(), port, who=who, variable=variable, greeting=greeting))
    except OxbotError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _greeting(port: int, *, as_json: bool) -> str:
    """One line that says where it listens and how to use it."""
    url = f"http://{HOST}:{port}"
    if as_json:
        return f"{json.dumps({'url': url, 'port': port, 'pid': os.getpid()})}\n"
    return (
        f"Model providers on {url}: OXBOT_DASHSCOPE_URL={url} DASHSCOPE_API_KEY=any, or "
        f"OPENAI_BASE_URL={url}/v1. A plain rule answers, no AI.\n"
    )
