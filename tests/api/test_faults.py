"""Servers that are away, and requests that nobody should answer."""

import httpx
import pytest

from api.app import create_app
from api.doors import HEADERS
from oxbot.domain.errors import SetupError
from oxbot.settings import Settings
from tests.api.conftest import serving


async def test_it_lives_while_everything_else_is_away(lonely_api: httpx.AsyncClient) -> None:
    assert (await lonely_api.get("/healthz")).json() == {"status": "ok"}


async def test_readiness_names_who_does_not_answer(
    api: httpx.AsyncClient, lonely_api: httpx.AsyncClient
) -> None:
    half = await api.get("/readyz")
    assert half.status_code == 503
    assert half.json()["postgresql"] == "ok"
    assert half.json()["temporal"] != "ok"
    none = await lonely_api.get("/readyz")
    assert none.status_code == 503
    assert none.json()["postgresql"] != "ok"
    assert not none.json()["ready"]


async def test_without_the_record_a_list_is_a_problem_with_status_503(
    lonely_api: httpx.AsyncClient,
) -> None:
    answer = await lonely_api.get("/bots")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"] == "Store unavailable"


async def test_without_the_record_the_page_says_so(lonely_api: httpx.AsyncClient) -> None:
    answer = await lonely_api.get("/")
    assert answer.status_code == 503
    assert answer.headers["content-type"].startswith("text/html")
    assert 'class="bad"' in answer.text


async def test_it_comes_back_with_the_record(database_url: str) -> None:
    """The pool holds connections that a restarted server has closed."""
    async with serving(database_url) as api:
        assert (await api.get("/bots")).status_code == 200
        assert (await api.get("/bots")).status_code == 200


async def test_a_site_that_calls_us_by_its_own_name_gets_no_answer(
    api: httpx.AsyncClient,
) -> None:
    """DNS rebinding: a page's host name may come to point at loopback."""
    answer = await api.get("/bots", headers={"host": "evil.example"})
    assert answer.status_code == 400


async def test_an_unforeseen_error_tells_nothing_of_the_inside(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret inside")

    monkeypatch.setattr("api.routes.lines_written", broken)
    async with serving(database_url) as api:
        answer = await api.get("/bots")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text
    assert all(answer.headers[name] == value for name, value in HEADERS.items())


def test_without_a_running_system_it_does_not_start(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DATABASE_URL", "REDIS_URL", "TEMPORAL_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SetupError, match="oxbot up"):
        create_app(Settings.model_validate({"home": tmp_path}))
