"""`.env.example`: every setting with its description and default, made from the model."""

import textwrap

from oxbot.cli.config_sources import variable
from oxbot.settings import Settings

_HEAD = """\
# 0xBot's settings. Copy this file to `.env` and remove the `#` before what you change.
# The environment comes before this file. `oxbot config show` says what holds, and why.
"""


def env_example() -> str:
    """Give the file's text; `oxbot config example` prints it."""
    return _HEAD + "".join(_entry(name) for name in Settings.model_fields)


def _entry(name: str) -> str:
    field = Settings.model_fields[name]
    comment = textwrap.fill(
        field.description or "", 88, initial_indent="# ", subsequent_indent="# "
    )
    return f"\n{comment}\n# {variable(name)}={_default(field.default)}\n"


def _default(value: object) -> str:
    """Write a default as it would be written in the file."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
