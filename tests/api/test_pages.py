"""The pages for people: escaped, without scripts, without anything from elsewhere."""

import re

import httpx
import pytest

from oxbot.adapters.postgres.store import PostgresStore
from oxbot.messages import CycleOutcome
from tests.support.trading import NOW_MS, bought, new_bot

NASTY = "<script>alert('x')</script>\"&"


async def test_the_page_shows_each_bot_with_its_links(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await new_bot(store)
    await bought(store)
    page = (await api.get("/")).text
    assert "0.0999 BTC at 60,000.00, stop 57,900.00, target 64,200.00" in page
    assert 'href="http://127.0.0.1:8233/namespaces/default/workflows/bot-b1"' in page
    assert 'href="/docs"' in page
    assert 'http-equiv="refresh"' in page


async def test_every_link_of_a_page_opens_for_whoever_is_signed_in_to_pages(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await new_bot(store)
    del api.headers["Authorization"]
    for path in ("/", "/docs"):
        here = re.findall(r'<a href="(/[^"]*)"', (await api.get(path)).text)
        assert here
        assert {link: (await api.get(link)).status_code for link in here} == dict.fromkeys(
            here, 200
        )


async def test_the_reference_shows_code_as_code(api: httpx.AsyncClient) -> None:
    page = (await api.get("/docs")).text
    assert "<code>POST /login</code>" in page
    assert "`" not in page


async def test_the_reference_has_what_a_body_may_say(api: httpx.AsyncClient) -> None:
    page = (await api.get("/docs")).text
    path = page.partition("<h2>POST /login</h2>")[2].partition("<h2>")[0]
    assert "<span>password</span></td><td><span>body</span>" in path


async def test_the_page_without_bots_says_how_to_make_one(api: httpx.AsyncClient) -> None:
    assert "oxbot bots create" in (await api.get("/")).text


async def test_whatever_a_bot_or_a_model_is_called_or_says_is_text(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await new_bot(store, "b1", name=NASTY)
    await new_bot(store, "b2", name="other")
    for bot_id, told in (("b1", {"decision": NASTY}), ("b2", {"skipped": NASTY})):
        outcome = CycleOutcome.model_validate(
            {"cycle": 1, "incarnation": 1, "due_ms": NOW_MS, **told}
        )
        await store.record_cycles(bot_id, [outcome], [], {})
    page = (await api.get("/")).text
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 3


@pytest.mark.parametrize("path", ["/", "/docs", "/bots", "/healthz", "/bots/nobody", "/style.css"])
async def test_every_answer_forbids_scripts_and_guessing(api: httpx.AsyncClient, path: str) -> None:
    headers = (await api.get(path)).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe-inline" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"  # or browsers hide where our own form is


@pytest.mark.parametrize("path", ["/", "/docs"])
async def test_a_page_loads_nothing_from_elsewhere_and_has_no_inline_style(
    api: httpx.AsyncClient, path: str
) -> None:
    page = (await api.get(path)).text
    assert re.findall(r'<link[^>]*href="([^"]*)"', page) == ["/style.css"]
    assert not re.search(r"<(script|img|iframe|style)|style=|\bon\w+=", page)


async def test_the_reference_names_every_path(api: httpx.AsyncClient) -> None:
    page = (await api.get("/docs")).text
    for path, verbs in (await api.get("/openapi.json")).json()["paths"].items():
        for verb in verbs:
            assert f"{verb.upper()} {path}" in page
