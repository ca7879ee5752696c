"""Each setting with its value and where it comes from, secrets hidden."""

import re
from typing import Final, get_args

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import to_json
from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource

from oxbot.domain.errors import InputError
from oxbot.domain.values import told
from oxbot.settings import Settings

HIDDEN: Final = "********"
"""Stands where a secret is set."""

_PASSWORD_OF_URL: Final = re.compile(r"(://[^:/@]*):.*@")
"""Rather too much than too little: up to the last @."""

_PASSWORD_OF_QUERY: Final = re.compile(
    r"([?&](?:password|passwd|pwd|token|secret)=)[^&]*", re.IGNORECASE
)


class SettingRow(BaseModel):
    """One setting. `variable` is what sets it; `source` is default, environment or .env."""

    name: str
    variable: str
    value: str | None
    source: str
    description: str


def load_settings() -> Settings:
    """Read the settings of this process.

    Raises:
        InputError: One cannot be; each is named as it is set.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise InputError(told(error, _shown)) from error
    except UnicodeDecodeError as error:
        raise InputError(
            f".env in this folder is not UTF-8 text ({error.reason} at byte {error.start}); "
            "save it as UTF-8, or remove it."
        ) from error


def variable(name: str) -> str:
    """Give the environment variable of a setting."""
    alias = Settings.model_fields[name].validation_alias
    return str(alias) if alias else f"{Settings.model_config['env_prefix']}{name.upper()}"


def rows(settings: Settings) -> list[SettingRow]:
    """Give every setting, in the order of the model."""
    sources = _sources()
    return [
        SettingRow(
            name=name,
            variable=variable(name),
            value=shown_value(field, getattr(settings, name)),
            source=sources.get(name, "default"),
            description=field.description or "",
        )
        for name, field in Settings.model_fields.items()
    ]


def shown_value(field: FieldInfo, value: object) -> str | None:
    """Give a value as it may be shown: no secret, no password inside a URL."""
    if value is None:
        return None
    if is_secret(field):
        return HIDDEN
    if isinstance(value, dict):
        return to_json(value).decode()
    text = _PASSWORD_OF_URL.sub(rf"\1:{HIDDEN}@", str(value))
    return _PASSWORD_OF_QUERY.sub(rf"\1{HIDDEN}", text)


def is_secret(field: FieldInfo) -> bool:
    """Tell whether a setting is a secret by its type."""
    return SecretStr in (field.annotation, *get_args(field.annotation))


def _sources() -> dict[str, str]:
    """Give the source of each setting that is set; the environment comes before `.env`."""
    dotenv = dict.fromkeys(_names(DotEnvSettingsSource(Settings)()), ".env")
    return dotenv | dict.fromkeys(_names(EnvSettingsSource(Settings)()), "environment")


def _names(found: dict[str, object]) -> list[str]:
    """Give the settings among what a source found, which it names as it likes."""
    by_variable = {variable(name).lower(): name for name in Settings.model_fields}
    return [by_variable.get(key.lower(), key) for key in found]


def _shown(field: str, value: object) -> tuple[str, str]:
    name = next((n for n in Settings.model_fields if field.lower() in (n, variable(n).lower())), "")
    if not name:
        return field, ""
    return variable(name), shown_value(Settings.model_fields[name], value) or ""
