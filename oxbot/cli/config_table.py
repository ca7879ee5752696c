"""`oxbot config show`."""

from oxbot.cli import output
from oxbot.cli.config_sources import SettingRow, load_settings, rows


def show(*, as_json: bool) -> None:
    """Write each setting with its source."""
    found = rows(load_settings())
    if as_json:
        output.write_json(found)
        return
    console = output.console()
    for row in found:
        console.print(_told(row), soft_wrap=False)


def _told(row: SettingRow) -> str:
    value = "(not set)" if row.value is None else row.value
    return f"{row.variable} = {value}   [{row.source}]\n    {row.description}"
