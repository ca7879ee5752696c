"""DashScope's own protocol: POST /api/v1/services/aigc/text-generation/generation."""

from typing import Any  # Any: JSON

from aiohttp import web

from oxbot.model_server.chat import Answer
from oxbot.model_server.failing import Failing
from oxbot.model_server.provider import Provider, Question

PATH = "/api/v1/services/aigc/text-generation/generation"


class DashScope(Provider):
    """DashScope's side of the server."""

    def routes(self) -> list[web.RouteDef]:
        """Its one path."""
        return [web.post(PATH, self.chat)]

    def question(self, body: Any) -> Question:  # noqa: ANN401 - JSON
        """Read a request's body."""
        asked, parameters = body.get("input") or {}, body.get("parameters") or {}
        return Question.model_validate({**parameters, **asked, "model": body.get("model")})

    def success(self, question: Question, answer: Answer, request_id: str) -> dict[str, Any]:  # noqa: ARG002 - the answer does not name the model
        """Write an answer."""
        message = {"role": "assistant", "content": answer.text}
        return {
            "output": {"choices": [{"finish_reason": answer.finish_reason, "message": message}]},
            "usage": {
                "input_tokens": answer.tokens_in,
                "output_tokens": answer.tokens_out,
                "total_tokens": answer.tokens_in + answer.tokens_out,
                "prompt_tokens_details": {"cached_tokens": answer.cached},
            },
            "request_id": request_id,
        }

    def failure(self, failing: Failing, message: str, request_id: str) -> dict[str, Any]:
        """Write a refusal, or a failure."""
        return {"code": failing.dashscope, "message": message, "request_id": request_id}

    def without_text(self, request_id: str) -> dict[str, Any]:
        """Write an answer that has no text."""
        return {"output": {"choices": []}, "usage": {}, "request_id": request_id}
