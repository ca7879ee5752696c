"""The adapters: what is asked, in which form, and what an answer cost."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from oxbot.adapters.models.choice import dashscope_setup, open_models, openai_setup
from oxbot.adapters.models.recorded import RecordedModel
from oxbot.adapters.models.reply_files import ReplyFiles
from oxbot.adapters.models.schema import strict_schema
from oxbot.app.prompt import build_request
from oxbot.app.replies import reply_key
from oxbot.domain.bot import BotSettings
from oxbot.domain.decision import Decision, parse_decision
from oxbot.domain.errors import InputError, NotFound
from oxbot.domain.models import CARDS, ModelCard, ModelChoice, Usage, check_provider
from oxbot.ports import ChatModel
from oxbot.records import ModelReply
from oxbot.settings import Settings
from tests.activities.models.asking import question, settings_for
from tests.support.risk import price
from tests.unit.models.test_baseline import brief, rising

MODELS = ("", "qwen-max", "qwen-plus", "gpt-4.1-mini", "gpt-5-mini", "llama3.1:8b")


@pytest.mark.parametrize("name", MODELS)
async def test_each_model_is_asked_in_a_form_that_it_can_do(model: ChatModel, name: str) -> None:
    reply = await model.complete(question(ModelChoice(model=name, temperature=Decimal("0.2"))))
    decision = parse_decision(reply.text, ("BTC/USDT", "ETH/USDT"))
    assert [p.action for p in decision.proposals] == ["buy", "hold"]
    assert reply.finish_reason == "stop"
    assert reply.request_id


async def test_a_reply_costs_what_its_card_says_and_less_for_what_is_remembered(
    model: ChatModel,
) -> None:
    asked = question(ModelChoice(model="qwen-plus"))
    first, second = [await model.complete(asked) for _ in range(2)]
    assert first.tokens_cached == 0
    assert 0 < second.tokens_cached < second.tokens_in
    tokens = (first.tokens_in, first.tokens_out)
    assert first.cost_usd == (tokens[0] * Decimal("0.4") + tokens[1] * Decimal("1.2")) / 10**6
    saved = second.tokens_cached * Decimal("0.4") * Decimal("0.8") / 10**6
    assert second.cost_usd == first.cost_usd - saved


async def test_a_model_without_a_card_says_that_its_price_is_unknown(model: ChatModel) -> None:
    choice = ModelChoice(model="llama3.1:8b")
    reply = await model.complete(question(choice))
    assert (reply.cost_usd, reply.priced) == (Decimal(0), False)
    assert model.label(choice).endswith(" llama3.1:8b (price unknown)")
    assert "unknown" not in model.label(ModelChoice())


def test_what_is_remembered_never_costs_more_than_what_came_in() -> None:
    card = ModelCard(input_usd=Decimal(10), output_usd=Decimal(20))
    assert card.cost_usd(Usage(tokens_in=100, tokens_cached=1000)) == Decimal("0.0002")


@pytest.mark.parametrize(
    ("choice", "form"),
    [
        (ModelChoice(model="qwen-max"), "json_object"),
        (ModelChoice(model="qwen-plus"), "json_schema"),
        (ModelChoice(model="qwen-plus", json_schema=False), "json_object"),
        (ModelChoice(model="qwen-max", json_schema=True), "json_schema"),
        (ModelChoice(model="other"), "json_object"),
        (ModelChoice(model="other", json_object=False), None),
    ],
)
def test_the_form_is_the_cards_unless_the_choice_has_another(
    choice: ModelChoice, form: str | None
) -> None:
    found = dashscope_setup(settings_for("http://127.0.0.1:1")).response_format(choice)
    assert (found and found["type"]) == form


def test_a_card_of_the_settings_stands_in_place_of_the_known_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cards = {
        "qwen-max": {"input_usd": "9", "output_usd": "9"},
        "mine": {"input_usd": 0, "output_usd": 0},
    }
    monkeypatch.setenv("OXBOT_MODEL_CARDS", json.dumps(cards))
    setup = openai_setup(Settings())
    assert setup.card(ModelChoice(model="qwen-max")).input_usd == Decimal(9)
    assert setup.card(ModelChoice(model="qwen-plus")) == CARDS["qwen-plus"]
    assert setup.label(ModelChoice(model="mine")) == "openai mine"


def test_the_strict_schema_requires_every_field_and_allows_no_other() -> None:
    schema = strict_schema(Decision)
    for part in (schema, schema["$defs"]["Proposal"]):
        assert part["required"] == list(part["properties"])
        assert part["additionalProperties"] is False
    numbers = schema["$defs"]["Proposal"]["properties"]
    assert numbers["confidence"] == {"type": "string"}
    assert numbers["stop_price"] == {"anyOf": [{"type": "string"}, {"type": "null"}]}


async def test_the_server_reads_the_projects_own_prompt(model: ChatModel) -> None:
    """What stands in for a model sees the same coins as the baseline does."""
    symbols = brief({}).symbols
    quotes = {symbol: price(symbol=symbol) for symbol in symbols}
    facts = brief({symbol: rising() for symbol in symbols}, held=("BTC/USDT",))
    reply = await model.complete(build_request(facts.model_copy(update={"quotes": quotes})))
    decision = parse_decision(reply.text, symbols)
    assert [p.symbol for p in decision.proposals] == list(symbols)
    assert {p.symbol for p in decision.proposals if p.action == "buy"} == {"BNB/USDT", "ETH/USDT"}


@pytest.fixture
def without_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Settings of nobody: no key in the environment, and no .env."""
    monkeypatch.chdir(tmp_path)
    for name in ("DASHSCOPE_API_KEY", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def test_a_provider_needs_its_key_and_the_refusal_names_the_variable(without_keys: None) -> None:
    assert Settings().model_providers == {"baseline"}
    assert settings_for("http://127.0.0.1:1").model_providers == {"baseline", "dashscope", "openai"}
    without_key = Settings(openai_base_url="http://127.0.0.1:11434/v1")
    assert without_key.model_providers == {"baseline", "openai"}
    with pytest.raises(InputError, match="set DASHSCOPE_API_KEY in the environment"):
        check_provider("dashscope", without_key.model_providers)
    with pytest.raises(InputError, match="'oracle'; there are: baseline, dashscope, openai"):
        check_provider("oracle", Settings().model_providers)


async def test_the_models_of_a_system_are_those_that_are_set_up(without_keys: None) -> None:
    settings = settings_for("http://127.0.0.1:1")
    async with open_models(settings) as models:
        assert {name: models[name].label(ModelChoice()) for name in models} == {
            "baseline": "baseline (a plain rule, no AI)",
            "dashscope": "dashscope qwen-max",
            "openai": "openai gpt-4.1-mini",
        }
    async with open_models(Settings()) as models:
        assert set(models) == {"baseline"}


async def test_a_recorded_model_answers_what_was_asked_before_and_nothing_else(
    tmp_path: Path,
) -> None:
    asked = question(ModelChoice(provider="dashscope", model="qwen-max"))
    reply = ModelReply(text="{}", provider="dashscope", model="qwen-max", request_id="r1")
    replies = ReplyFiles(tmp_path)
    await replies.put(reply_key(asked), reply)
    model = RecordedModel(replies)
    assert await model.complete(asked) == reply
    warmer = asked.choice.model_copy(update={"temperature": Decimal("0.1")})
    for other in (question(warmer), question(asked.choice, (("user", "json?"),))):
        with pytest.raises(NotFound, match="a recorded model asks nobody"):
            await model.complete(other)


def test_a_bot_names_the_models_that_decide_in_their_order() -> None:
    plain = BotSettings.model_validate({"name": "from before models"})
    assert (plain.deciders, plain.choices) == ("baseline", (ModelChoice(),))
    fallbacks = [{"provider": "openai", "model": "gpt-4.1-mini"}, {"provider": "baseline"}]
    several = BotSettings.model_validate(
        {"name": "x", "provider": "dashscope", "temperature": "0.3", "fallbacks": fallbacks}
    )
    assert several.deciders == "dashscope, else openai gpt-4.1-mini, else baseline"
    assert several.choices[0] == ModelChoice(provider="dashscope", temperature=Decimal("0.3"))
