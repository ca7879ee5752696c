"""What both protocols do alike: the key, the faults, the capabilities, the answer."""

import asyncio
import socket
import struct
from abc import ABC, abstractmethod
from typing import Any, Final  # Any: JSON

from aiohttp import web
from pydantic import BaseModel, Field, ValidationError

from oxbot.model_server.chat import Answer, Memory, Message, answered
from oxbot.model_server.failing import FAILING, PAGE, Failing
from oxbot.model_server.fault_rules import FaultKind, FaultRule
from oxbot.model_server.faults import Faults

REFUSED: Final = "refused"
"""A key that begins so is not taken; any other is."""

WITHOUT_SCHEMA: Final = frozenset({"qwen-max"})
"""Models that cannot be held to a schema."""

LONGEST_SILENCE_S: Final = 60.0
LOOKS_EVERY_S: Final = 0.05
"""Between two looks whether the client has left, in seconds."""


class Said(BaseModel):
    """A message."""

    role: str
    content: str


class Form(BaseModel):
    """The form that an answer is held to."""

    type: str = "text"


class Question(BaseModel):
    """A question, whatever the protocol."""

    model: str = Field(min_length=1)
    messages: list[Said] = Field(min_length=1)
    response_format: Form = Form()
    temperature: float | None = Field(default=None, ge=0, le=2)

    def told(self) -> list[Message]:
        """Give role and text of each message."""
        return [(said.role, said.content) for said in self.messages]

    def problem(self) -> str | None:
        """Say why a provider does not take it; None where it does."""
        form = self.response_format.type
        if (
            form == "json_object"
            and "json" not in " ".join(s.content for s in self.messages).lower()
        ):
            return "'messages' must contain the word 'json' to use 'response_format' json_object."
        if form == "json_schema" and self.model in WITHOUT_SCHEMA:
            return f"{self.model} does not support response_format json_schema."
        return None


class Provider(ABC):
    """A provider's side of the server.

    Args:
        faults: What goes wrong.
        memory: What was asked before.
    """

    def __init__(self, faults: Faults, memory: Memory) -> None:
        self._faults = faults
        self._memory = memory

    @abstractmethod
    def question(self, body: Any) -> Question:  # noqa: ANN401 - JSON
        """Read a request's body; ValidationError."""

    @abstractmethod
    def success(self, question: Question, answer: Answer, request_id: str) -> dict[str, Any]:
        """Write an answer."""

    @abstractmethod
    def failure(self, failing: Failing, message: str, request_id: str) -> dict[str, Any]:
        """Write a refusal, or a failure."""

    @abstractmethod
    def without_text(self, request_id: str) -> dict[str, Any]:
        """Write an answer that has no text."""

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """Answer one question."""
        rule = self._faults.on_question()
        request_id = f"local-{self._faults.asked}"
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not key or key.startswith(REFUSED):
            return self._refused(FaultKind.INVALID_KEY, {"key": key, "id": request_id})
        try:
            question = self.question(await request.json())
        except (ValueError, ValidationError) as error:
            told = {"id": request_id, "message": f"The request cannot be read: {error}"}
            return self._refused(FaultKind.INVALID_PARAMETER, told)
        if problem := question.problem():
            return self._refused(
                FaultKind.INVALID_PARAMETER, {"id": request_id, "message": problem}
            )
        told = {"id": request_id, "key": key, "model": question.model}
        return await self._answer(request, question, rule, told)

    async def _answer(
        self,
        request: web.Request,
        question: Question,
        rule: FaultRule | None,
        told: dict[str, str],
    ) -> web.StreamResponse:
        kind = rule.kind if rule else None
        if kind in FAILING:
            return self._refused(kind, told, rule)
        if kind in (FaultKind.SILENCE, FaultKind.RESET):
            return await _hung_up(request, at_once=kind is FaultKind.RESET)
        if kind in (FaultKind.BAD_GATEWAY, FaultKind.HTML_200):
            status = 200 if kind is FaultKind.HTML_200 else 502
            return web.Response(text=PAGE, content_type="text/html", status=status)
        if kind is FaultKind.ERROR_200:
            failing = FAILING[FaultKind.INTERNAL_ERROR]
            return web.json_response(self.failure(failing, failing.message, told["id"]))
        if kind is FaultKind.NO_TEXT:
            return web.json_response(self.without_text(told["id"]))
        if rule and rule.delay_ms:
            await asyncio.sleep(rule.delay_ms / 1000)
        answer = answered(question.told(), self._memory, kind)
        return web.json_response(self.success(question, answer, told["id"]))

    def _refused(
        self, kind: FaultKind | None, told: dict[str, str], rule: FaultRule | None = None
    ) -> web.Response:
        """Refuse in the protocol's words; a key is told as providers do, whole."""
        failing = FAILING[kind or FaultKind.INTERNAL_ERROR]
        said = told.get("message") or failing.message.format_map({"key": "", "model": "", **told})
        wait_s = rule.retry_after_s if rule else None
        headers = {} if wait_s is None else {"Retry-After": str(wait_s)}
        body = self.failure(failing, said, told["id"])
        return web.json_response(body, status=failing.status, headers=headers)


async def _hung_up(request: web.Request, *, at_once: bool) -> web.Response:
    """Reset the connection, at once or when the client has left; nobody gets this response."""
    loop = asyncio.get_running_loop()
    until = loop.time() + (0 if at_once else LONGEST_SILENCE_S)
    # aiohttp tells a handler by nothing but the missing transport that its client has left.
    while request.transport is not None and loop.time() < until:  # noqa: ASYNC110
        await asyncio.sleep(LOOKS_EVERY_S)
    if request.transport is not None:
        connection = request.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return web.Response()
