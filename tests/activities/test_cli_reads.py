"""`oxbot bots cycles, orders, ...` on a real record."""

import asyncio
import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from oxbot.adapters.postgres.store import PostgresStore
from oxbot.cli.bots import app
from oxbot.domain.errors import InputError, NotFound
from tests.activities.test_reading import LISTS, one_with_everything

Run = Callable[..., Result]


@pytest.fixture
async def record(store: PostgresStore) -> None:
    """A record with two bots that have traded."""
    await one_with_everything(store)


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command on the record, and raises what it raises."""
    monkeypatch.setenv("DATABASE_URL", database_url)

    def ran(*arguments: str) -> Result:
        return CliRunner().invoke(app, arguments, catch_exceptions=False)

    return ran


async def said(run: Run, *arguments: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads((await asyncio.to_thread(run, *arguments, "--json")).stdout)


async def test_each_list_is_given_by_pages_and_whole(record: None, run: Run) -> None:
    for name in (name for name in LISTS if name != "equity"):
        every = await said(run, name, "b1", "--all")
        assert every["next"] is None
        page = await said(run, name, "b1", "--limit", "1")
        assert page["items"] == every["items"][:1]
        rest = await said(run, name, "b1", "--limit", "1", "--cursor", page["next"])
        assert rest["items"] == every["items"][1:2]


async def test_each_list_is_written_as_csv_and_as_a_table(record: None, run: Run) -> None:
    for name in LISTS:
        shown = await asyncio.to_thread(run, name, "b1")
        assert shown.exit_code == 0
        assert name.capitalize() in shown.stdout
        written = await asyncio.to_thread(run, name, "b1", "--csv")
        rows = list(csv.DictReader(io.StringIO(written.stdout)))
        assert len(rows) > 1, name


async def test_a_table_says_how_to_see_more(record: None, run: Run) -> None:
    page = await said(run, "fills", "b1", "--limit", "2")
    shown = await asyncio.to_thread(run, "fills", "b1", "--limit", "2")
    assert f"--cursor {page['next']}, or --all" in shown.stdout
    every = await asyncio.to_thread(run, "fills", "b1", "--all")
    assert "--cursor" not in every.stdout


async def test_statistics_and_the_curve_are_shown(record: None, run: Run) -> None:
    found = await said(run, "stats", "b1")
    assert (found["trades"], found["win_rate"]) == (3, "0.66666667")
    shown = (await asyncio.to_thread(run, "stats", "b1")).stdout
    for told in ("maximum drawdown", "Sharpe ratio", "win rate", "66.67 %", "closed by stop"):
        assert told in shown
    assert len((await said(run, "equity", "b1", "--points", "3"))["items"]) <= 3


async def test_a_bot_that_there_is_not_and_a_cursor_that_is_none_are_told(
    record: None, run: Run
) -> None:
    for command in (*LISTS, "stats"):
        with pytest.raises(NotFound, match="nobody"):
            await asyncio.to_thread(run, command, "nobody")
    with pytest.raises(InputError, match="no cursor"):
        await asyncio.to_thread(run, "fills", "b1", "--cursor", "x")
    with pytest.raises(InputError, match="not both"):
        await asyncio.to_thread(run, "fills", "b1", "--csv", "--json")


async def test_bots_are_listed_oldest_first(record: None, run: Run) -> None:
    assert [line["bot"]["id"] for line in await said(run, "list")] == ["b1", "b2"]
    assert await said(run, "list", "--archived") == []
