"""Every OpenAI-compatible service: OpenAI, DeepSeek, Ollama, vLLM, DashScope's compatible mode."""

from typing import Any, Final, Self

from openai import AsyncOpenAI
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion

from oxbot.adapters.models.failures import Failure, error_of
from oxbot.adapters.models.openai_errors import RAISED, checked, failure_of
from oxbot.adapters.models.setup import ANSWER_S, Setup
from oxbot.domain.models import ModelChoice
from oxbot.records import ModelReply, ModelRequest

NO_KEY: Final = "none"
"""Sent to services that need no key: the SDK does not go without."""


class OpenAIModel:
    """`ChatModel` for OpenAI-compatible services: `async with OpenAIModel(setup) as model`.

    Args:
        setup: Key, base URL, default model and cards.
        answer_s: Seconds until the first byte of an answer.
    """

    def __init__(self, setup: Setup, answer_s: float = ANSWER_S) -> None:
        self._setup = setup
        self._client = AsyncOpenAI(
            api_key=setup.key.get_secret_value() if setup.key else NO_KEY,
            base_url=setup.address,
            timeout=answer_s,
            max_retries=0,  # Temporal retries
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    def label(self, choice: ModelChoice) -> str:
        """How the chosen model is named wherever its decisions are shown."""
        return self._setup.label(choice)

    def named(self, choice: ModelChoice) -> ModelChoice:
        """Give the choice with its model's name, also where it leaves that to the provider."""
        return choice.model_copy(update={"model": self._setup.model(choice)})

    def is_priced(self, choice: ModelChoice) -> bool:
        """Whether it is known what the chosen model costs."""
        return self._setup.is_priced(choice)

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Ask once; see `ChatModel.complete`."""
        choice = request.choice
        try:
            answer = checked(await self._ask(request))
            if isinstance(answer, Failure):
                raise error_of(answer, self._setup, choice)
            reply = self._reply(answer, choice)
        except RAISED as error:
            # Without what it came from, which may quote the key.
            raise error_of(failure_of(error), self._setup, choice) from None
        return self._setup.priced(choice, reply)

    async def _ask(self, request: ModelRequest) -> object:
        """Send the request; the SDK gives a plain string where the answer is no JSON."""
        choice = request.choice
        card, form = self._setup.card(choice), self._setup.response_format(choice)
        more: dict[str, Any] = {}  # Any: parameters of different types, each as the SDK has it
        if card.temperature:
            more["temperature"] = float(choice.temperature)
        if form is not None:
            more["response_format"] = form
        if card.enable_thinking is not None:
            more["extra_body"] = {"enable_thinking": card.enable_thinking}
        messages: Any = [{"role": role, "content": text} for role, text in request.messages]
        return await self._client.chat.completions.create(
            model=self._setup.model(choice), messages=messages, **more
        )

    def _reply(self, answer: ChatCompletion, choice: ModelChoice) -> ModelReply:
        usage = answer.usage
        first = answer.choices[0]
        return ModelReply(
            text=_text(first.message.content),
            provider=self._setup.provider,
            model=_text(answer.model) or self._setup.model(choice),
            request_id=_text(answer.id),
            tokens_in=usage.prompt_tokens if usage else 0,
            tokens_out=usage.completion_tokens if usage else 0,
            tokens_cached=_cached(usage),
            finish_reason=_text(first.finish_reason),
        )


def _cached(usage: CompletionUsage | None) -> int:
    details = usage.prompt_tokens_details if usage else None
    return (details.cached_tokens or 0) if details else 0


def _text(value: object) -> str:
    """Give a text; a service may leave out what the SDK takes for granted."""
    return value if isinstance(value, str) else ""
