"""Every setting, from the environment and `.env`, in one documented model.

Names without prefix are those that other tools know (DATABASE_URL, TEMPORAL_ADDRESS,
REDIS_URL); all others begin with OXBOT_.
"""

import json
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from oxbot.domain.models import BASELINE, CARDS, DASHSCOPE, OPENAI, ModelCard, ModelName

Port = Annotated[int, Field(ge=1, le=65535)]
Address = Annotated[str, Field(pattern=r"^https?://\S+$")]

OKX_ADDRESSES: Final = {
    "okx": "https://www.okx.com",
    "myokx": "https://eea.okx.com",
    "okxus": "https://us.okx.com",
}
"""Where each of OKX's hosts answers requests."""


class Settings(BaseSettings):
    """What can be set; a field's description is what `oxbot config show` and .env.example say."""

    model_config = SettingsConfigDict(
        env_prefix="OXBOT_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        populate_by_name=True,
    )

    home: Path = Field(
        default=Path(".oxbot"),
        description="Data directory of the embedded servers; one running system each.",
    )
    installation: str = Field(
        default="local",
        pattern=r"^[a-z0-9-]{1,20}$",
        description="Name of this installation; part of every order id.",
    )
    timezone: str = Field(default="UTC", description="Time zone in which times are shown.")
    log_format: Literal["console", "json"] = Field(
        default="console", description="Logs for people (console) or for programs (json)."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least severe message that is logged."
    )

    database_url: str | None = Field(
        default=None,
        validation_alias="DATABASE_URL",
        description="PostgreSQL (postgresql://...); empty: the embedded server.",
    )
    redis_url: str | None = Field(
        default=None,
        validation_alias="REDIS_URL",
        description="Redis (redis://... or unix://...); empty: the embedded server.",
    )
    temporal_address: str | None = Field(
        default=None,
        validation_alias="TEMPORAL_ADDRESS",
        description="Temporal's frontend (host:port); empty: the embedded server.",
    )
    temporal_namespace: str = Field(
        default="default",
        validation_alias="TEMPORAL_NAMESPACE",
        description="Temporal's namespace.",
    )
    temporal_port: Port = Field(default=7233, description="Port of the embedded Temporal server.")
    temporal_ui_port: Port = Field(default=8233, description="Port of Temporal's embedded Web UI.")
    temporal_ui_url: str | None = Field(
        default=None, description="Temporal's Web UI where Temporal is not embedded; for links."
    )
    task_queue: str = Field(default="oxbot", description="Task queue of workflows and activities.")

    api_host: str = Field(default="127.0.0.1", description="Address that the API binds to.")
    api_port: Port = Field(default=8020, description="Port of the API.")

    api_hosts: str = Field(
        default="",
        description="Host names by which the API may be called besides its address; with commas.",
    )
    api_proxies: str = Field(
        default="",
        description="Addresses of proxies that say whom a request came from; with commas.",
    )
    api_streams: int = Field(
        default=500,
        ge=1,
        le=10_000,
        description="How many clients the API tells of events at a time, at most.",
    )
    api_secret: SecretStr = Field(
        default=SecretStr(""),
        description="What the API signs access tokens with, 32 bytes or more (`openssl rand "
        "-base64 48`); empty: the embedded system makes one.",
    )

    user_bots: int = Field(
        default=20,
        ge=0,
        le=100_000,
        description="How many bots that are not archived a user of the API may have who is no "
        "administrator.",
    )
    user_interval_s: int = Field(
        default=60, ge=1, le=86_400, description="Shortest interval of such a user's bots, seconds."
    )
    user_budget_usd: Annotated[Decimal, Field(ge=0, le=10**6)] = Field(
        default=Decimal(5),
        description="USD that the models of such a user's bots may cost a UTC day, together: "
        "without a budget they ask none that costs money. 0: none at all.",
    )

    simulator_url: str | None = Field(
        default=None,
        description="A simulated OKX (http://127.0.0.1:8021) instead of the real one.",
    )
    simulator_port: Port = Field(default=8021, description="Port of `oxbot simulator`.")
    okx_host: Literal["okx", "myokx", "okxus"] = Field(
        default="okx",
        description="Which OKX: worldwide (okx), Europe (myokx, eea.okx.com) or USA (okxus).",
    )
    okx_demo: bool = Field(
        default=False,
        description="OKX's demo trading, whose prices are its own, instead of the real market.",
    )
    okx_rest_url: str | None = Field(
        default=None, description="OKX's REST address, for a proxy; empty: the host's own."
    )
    okx_ws_url: str | None = Field(
        default=None,
        description="OKX's stream (wss://.../ws/v5), for a proxy; empty: the host's own.",
    )

    live: Literal["accepted"] | None = Field(
        default=None,
        description="`accepted`: bots may be made that trade real money (`--live`), and whoever "
        "set this knows that it can be lost. Empty: paper only.",
    )
    okx_api_key: SecretStr | None = Field(
        default=None,
        validation_alias="OKX_API_KEY",
        description="Key of the OKX account of live bots; it may read and trade, and must not be "
        "able to withdraw.",
    )
    okx_secret_key: SecretStr | None = Field(
        default=None, validation_alias="OKX_SECRET_KEY", description="The secret of that key."
    )
    okx_passphrase: SecretStr | None = Field(
        default=None, validation_alias="OKX_PASSPHRASE", description="The passphrase of that key."
    )

    dashscope_api_key: SecretStr | None = Field(
        default=None,
        validation_alias="DASHSCOPE_API_KEY",
        description="Key of DashScope (Qwen); with it bots can be made with provider dashscope.",
    )
    dashscope_url: Address = Field(
        default="https://dashscope.aliyuncs.com",
        description="DashScope's address; https://dashscope-intl.aliyuncs.com for "
        "international keys.",
    )
    dashscope_model: ModelName = Field(
        default="qwen-max", description="Qwen model of bots that name none."
    )
    openai_api_key: SecretStr | None = Field(
        default=None,
        validation_alias="OPENAI_API_KEY",
        description="Key of OpenAI or a compatible service; Ollama and vLLM need none.",
    )
    openai_base_url: Address | None = Field(
        default=None,
        validation_alias="OPENAI_BASE_URL",
        description="An OpenAI-compatible service (http://127.0.0.1:11434/v1 for Ollama); "
        "empty: OpenAI's own.",
    )
    openai_model: ModelName = Field(
        default="gpt-4.1-mini", description="Model of bots with provider openai that name none."
    )
    model_cards: Annotated[dict[str, ModelCard], NoDecode] = Field(
        default={},
        description='Prices (USD per million tokens) and abilities of models, as JSON: {"name": '
        '{"input_usd": "0.4", "output_usd": "1.6", "json_schema": true}}; added to the known '
        "ones, or in their place.",
    )
    model_budget_usd: Annotated[Decimal | None, Field(gt=0, le=10**6)] = Field(
        default=None,
        description="USD that the models of all bots may cost a UTC day; empty: no limit.",
    )
    model_replies: Path | None = Field(
        default=None,
        description="Directory in which replies of models are kept by what was asked, so that the "
        "same is never asked twice; for replays. Empty: off.",
    )
    model_server_port: Port = Field(default=8022, description="Port of `oxbot model-server`.")

    session: str | None = Field(
        default=None,
        description="Set by `oxbot up` for its processes: names one run of the whole system.",
    )

    @field_validator("model_cards", mode="before")
    @classmethod
    def _must_be_json(cls, cards: object) -> object:
        if not isinstance(cards, str):
            return cards
        try:
            return json.loads(cards)
        except ValueError as error:
            raise ValueError(f"no JSON: {error}") from error

    @field_validator("timezone")
    @classmethod
    def _must_be_a_time_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError("no time zone; use a name such as Europe/Berlin") from error
        return name

    @property
    def model_providers(self) -> frozenset[str]:
        """The model providers that a bot can be made with."""
        openai = self.openai_api_key or self.openai_base_url
        needed = {BASELINE: True, DASHSCOPE: self.dashscope_api_key, OPENAI: openai}
        return frozenset(name for name, found in needed.items() if found)

    @property
    def known_cards(self) -> dict[str, ModelCard]:
        """What is known of models, by name: those that 0xBot brings, and the settings' own."""
        return {**CARDS, **self.model_cards}

    @property
    def live_problem(self) -> str | None:
        """Why bots cannot trade live with these settings, and what to do; None: they can."""
        if self.live is None:
            return (
                "Live trading is off: no bot can trade real money. Set OXBOT_LIVE=accepted to "
                "allow it, once you know that this money can be lost (docs/live.md)."
            )
        key = {
            "OKX_API_KEY": self.okx_api_key,
            "OKX_SECRET_KEY": self.okx_secret_key,
            "OKX_PASSPHRASE": self.okx_passphrase,
        }
        if missing := [name for name, part in key.items() if not part]:
            return (
                f"Live trading needs the key of an OKX account: set {', '.join(missing)}. The key "
                "may read and trade, and must not be able to withdraw (docs/live.md)."
            )
        return None

    @property
    def okx_address(self) -> str:
        """Where OKX answers requests."""
        return self.okx_rest_url or OKX_ADDRESSES[self.okx_host]
