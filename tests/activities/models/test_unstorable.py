"""Replies with what PostgreSQL cannot keep, by the real clients and onto the real record."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiohttp.typedefs import Handler

from oxbot.adapters.postgres.store import PostgresStore
from oxbot.app.decide import decide
from oxbot.domain.errors import ModelRefused
from oxbot.domain.values import storable
from oxbot.messages import Decide, DecisionBrief
from oxbot.model_server.fault_rules import FaultKind, FaultRule
from oxbot.model_server.faults import Faults
from oxbot.model_server.server import create_app
from oxbot.records import DecisionRecord
from tests.activities.models.asking import question
from tests.activities.models.conftest import MakeModel
from tests.support.fakes import BTC
from tests.support.trading import begin, new_bot
from tests.unit.app.room import BOT, Room

pytestmark = pytest.mark.critical

UNSTORABLE = ("abc\x00def", "abc\ud800def", "abc\udfff\x00def")
SPOILED = frozenset({"content", "model", "id", "request_id", "message", "code"})


class Spoiling:
    """The model server, with a text of the test's in place of what it says; counts questions."""

    def __init__(self) -> None:
        self.text = ""
        self.names = frozenset({"content"})
        self.tokens: int | None = None
        self.faults = Faults()

    @property
    def app(self) -> web.Application:
        app = create_app(self.faults)
        app.middlewares.append(self._spoiled)
        return app

    @web.middleware
    async def _spoiled(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await handler(request)
        assert isinstance(answer, web.Response)
        body = self._changed("", json.loads(answer.text or ""))
        return web.json_response(body, status=answer.status)

    def _changed(self, name: str, value: object) -> object:
        if isinstance(value, dict):
            return {inner: self._changed(inner, of) for inner, of in value.items()}
        if isinstance(value, list):
            return [self._changed(name, inner) for inner in value]
        if isinstance(value, int) and name.endswith("_tokens") and self.tokens is not None:
            return self.tokens
        spoiled = self.text and isinstance(value, str) and name in self.names
        return self.text if spoiled else value


@pytest.fixture
def spoiling() -> Spoiling:
    return Spoiling()


@pytest.fixture
async def url(spoiling: Spoiling) -> AsyncIterator[str]:
    async with TestServer(spoiling.app) as server:
        yield str(server.make_url("")).rstrip("/")


async def decided(make: MakeModel, store: PostgresStore) -> tuple[DecisionBrief, DecisionRecord]:
    """Have a model behind a real client decide on the real record."""
    room = Room(others={"real": await make()})
    await new_bot(store, provider="real", model="qwen-plus", symbols=(BTC,))
    await begin(store, BOT)
    brief = await decide(replace(room.ports, store=store), Decide(bot_id=BOT, cycle=1))
    record = await store.decision(BOT, 1)
    assert record is not None
    return brief, record


@pytest.mark.parametrize("text", UNSTORABLE)
async def test_a_reply_that_no_record_can_keep_is_repaired_once_then_holds_and_is_booked(
    make: MakeModel, store: PostgresStore, spoiling: Spoiling, text: str
) -> None:
    spoiling.text = text
    brief, record = await decided(make, store)
    assert brief.proposals == ()
    assert spoiling.faults.asked == 2
    assert record.failed is not None
    assert record.failed.endswith("That was after a repair request.")
    assert record.reply.replace("\ufffd", "") == "abcdef"
    assert record.first_reply == record.reply
    own, _ = await store.model_cost(BOT, 0)
    assert own == record.cost_usd > 0


@pytest.mark.parametrize("place", ["summary", "reason", "invalidation", "extra"])
async def test_an_escaped_nul_in_a_valid_reply_holds_before_any_rule_takes_it_to_the_record(
    make: MakeModel, store: PostgresStore, spoiling: Spoiling, place: str
) -> None:
    texts = dict.fromkeys(("summary", "reason", "invalidation"), "calm") | {place: "a\x00b"}
    wish = {"symbol": BTC, "action": "buy", "confidence": "0.9", "reason": texts["reason"]}
    wish |= {"invalidation": texts["invalidation"]}
    more = {"\x00": "1"} if place == "extra" else {}
    spoiling.text = json.dumps({"summary": texts["summary"], "proposals": [wish], **more})
    brief, record = await decided(make, store)
    assert (brief.proposals, record.decision) == ((), None)
    assert record.failed is not None
    assert "\x00" not in record.failed
    assert spoiling.faults.asked == 2


@pytest.mark.parametrize("text", UNSTORABLE)
async def test_names_that_no_record_can_keep_do_not_cost_the_decision(
    make: MakeModel, store: PostgresStore, spoiling: Spoiling, text: str
) -> None:
    spoiling.text, spoiling.names = text, SPOILED - {"content"}
    _, record = await decided(make, store)
    assert spoiling.faults.asked == 1
    assert record.failed is None
    assert record.model in ("qwen-plus", storable(text))  # DashScope does not name it
    assert record.request_id.endswith("\ufffddef")


@pytest.mark.parametrize("text", UNSTORABLE)
async def test_a_refusal_in_words_that_no_record_can_keep_is_on_record(
    make: MakeModel, store: PostgresStore, spoiling: Spoiling, text: str
) -> None:
    spoiling.text, spoiling.names = text, SPOILED
    spoiling.faults.add([FaultRule(kind=FaultKind.INVALID_KEY)])
    _, record = await decided(make, store)
    assert record.failed is not None
    assert "abc\ufffd" in record.failed
    with pytest.raises(ModelRefused):
        await (await make()).complete(question())


@pytest.mark.parametrize(("counted", "kept"), [(-5, 0), (10**30, 10**9)])
async def test_a_count_that_no_record_can_keep_is_the_nearest_that_it_can(
    make: MakeModel, store: PostgresStore, spoiling: Spoiling, counted: int, kept: int
) -> None:
    spoiling.tokens = counted
    _, record = await decided(make, store)
    assert (record.failed, record.tokens_in, record.tokens_out) == (None, kept, kept)
