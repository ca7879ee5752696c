"""OpenAI's protocol: POST /v1/chat/completions and GET /v1/models."""

import time
from typing import Any, Final  # Any: JSON

from aiohttp import web

from oxbot.model_server.chat import Answer
from oxbot.model_server.failing import Failing
from oxbot.model_server.provider import Provider, Question

MODELS: Final = ("qwen-max", "qwen-plus", "gpt-4.1-mini", "gpt-5-mini")


class OpenAI(Provider):
    """The OpenAI-compatible side of the server; also where DashScope has its own."""

    def routes(self) -> list[web.RouteDef]:
        """Its paths."""
        return [
            web.post("/v1/chat/completions", self.chat),
            web.post("/compatible-mode/v1/chat/completions", self.chat),
            web.get("/v1/models", self.models),
        ]

    async def models(self, _: web.Request) -> web.Response:
        """Name the models; others are answered, too."""
        listed = [{"id": name, "object": "model", "owned_by": "local"} for name in MODELS]
        return web.json_response({"object": "list", "data": listed})

    def question(self, body: Any) -> Question:  # noqa: ANN401 - JSON
        """Read a request's body."""
        return _Asked.model_validate(body)

    def success(self, question: Question, answer: Answer, request_id: str) -> dict[str, Any]:
        """Write an answer."""
        message = {"role": "assistant", "content": answer.text, "refusal": None}
        choice = {"index": 0, "finish_reason": answer.finish_reason, "message": message}
        return {
            "id": request_id,
            "object": "chat.completion",
            "created": int(time.time()),
            "model": question.model,
            "choices": [choice],
            "usage": {
                "prompt_tokens": answer.tokens_in,
                "completion_tokens": answer.tokens_out,
                "total_tokens": answer.tokens_in + answer.tokens_out,
                "prompt_tokens_details": {"cached_tokens": answer.cached},
            },
        }

    def failure(self, failing: Failing, message: str, request_id: str) -> dict[str, Any]:
        """Write a refusal, or a failure."""
        error = {"message": message, "type": "error", "param": None, "code": failing.openai}
        return {"error": error, "request_id": request_id}

    def without_text(self, request_id: str) -> dict[str, Any]:
        """Write an answer that has no text."""
        return {"id": request_id, "object": "chat.completion", "choices": []}


class _Asked(Question):
    """A question as OpenAI's reasoning models take it, too: without a temperature."""

    def problem(self) -> str | None:
        """Say why a provider does not take it; None where it does."""
        if self.model.startswith("gpt-5") and self.temperature not in (None, 1):
            return "Unsupported value: 'temperature' does not support this value with this model."
        return super().problem()
