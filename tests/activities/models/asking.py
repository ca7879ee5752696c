"""A question for models, and the settings by which they are reached."""

from pydantic import SecretStr

from oxbot.domain.bot import DEFAULT_SYMBOLS, RiskLimits
from oxbot.domain.models import ModelChoice
from oxbot.domain.money import Notional
from oxbot.domain.portfolio import Portfolio
from oxbot.records import MarketBrief, ModelRequest
from oxbot.settings import Settings

KEY = "sk-never-to-be-shown-0123456789"

PROMPT = (
    ("system", "Answer with one JSON object: summary and proposals."),
    (
        "user",
        (
            "BTC/USDT: bid 60000, ask 60001.\n"
            "  5m close 60000, EMA20 59900, EMA50 59800, ATR3 90, ATR14 120.\n"
            "ETH/USDT: bid 3000, ask 3001.\n"
            "  5m close 3000, EMA20 3010, EMA50 3020, ATR3 9, ATR14 12.\n"
        ),
    ),
)


def settings_for(url: str, key: str = KEY) -> Settings:
    return Settings(
        dashscope_api_key=SecretStr(key),
        dashscope_url=url,
        openai_api_key=SecretStr(key),
        openai_base_url=f"{url}/v1",
    )


def question(
    choice: ModelChoice | None = None, messages: tuple[tuple[str, str], ...] = PROMPT
) -> ModelRequest:
    brief = MarketBrief(
        now_ms=300_000,
        symbols=DEFAULT_SYMBOLS,
        features={},
        quotes={},
        portfolio=Portfolio(cash=Notional(10_000)),
        limits=RiskLimits(),
    )
    return ModelRequest(messages=messages, brief=brief, choice=choice or ModelChoice())
