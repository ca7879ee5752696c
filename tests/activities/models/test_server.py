"""The model server over HTTP: its rule, its faults on demand, and its own control."""

import json
import socket
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request
from hypothesis import given
from hypothesis import strategies as st

from oxbot.domain.decision import parse_decision
from oxbot.domain.errors import BadReply
from oxbot.model_server.bad_replies import INVENTED
from oxbot.model_server.chat import Memory, answered
from oxbot.model_server.fault_rules import FaultKind, FaultRule
from oxbot.model_server.faults import Faults
from oxbot.model_server.reading import coins_in
from oxbot.model_server.server import create_app, run
from tests.activities.models.asking import PROMPT

Client = TestClient[Request, Application]

SYMBOLS = ("BTC/USDT", "ETH/USDT")
SPOILED = {
    FaultKind.BAD_JSON: "JSON",
    FaultKind.PROSE: "JSON",
    FaultKind.EMPTY: "JSON",
    FaultKind.CUT: "JSON",
    FaultKind.EXTRA_FIELD: "leverage",
    FaultKind.INVENTED_SYMBOL: INVENTED,
    FaultKind.NOT_A_NUMBER: "confidence",
    FaultKind.NEGATIVE: "fraction",
    FaultKind.WORD: "confidence",
}


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with TestClient(TestServer(create_app())) as client:
        yield client


async def asked(client: Client, **changes: object) -> tuple[int, dict[str, Any]]:
    messages = [{"role": role, "content": text} for role, text in PROMPT]
    body = {"model": "qwen-plus", "messages": messages, **changes}
    headers = {"Authorization": "Bearer any"}
    answer = await client.post("/v1/chat/completions", json=body, headers=headers)
    return answer.status, await answer.json()


def test_the_rule_follows_the_averages_of_the_prompt() -> None:
    answer = answered(list(PROMPT), Memory(), None)
    decision = parse_decision(answer.text, SYMBOLS)
    assert [(p.symbol, p.action) for p in decision.proposals] == [
        ("BTC/USDT", "buy"),
        ("ETH/USDT", "hold"),
    ]
    assert str(decision.proposals[0].expected_move) == "0.0060"


def test_a_held_coin_whose_trend_broke_is_closed() -> None:
    held = (*PROMPT, ("user", "Position ETH/USDT: 1 at 3000."))
    decision = parse_decision(answered(list(held), Memory(), None).text, SYMBOLS)
    assert [p.action for p in decision.proposals] == ["buy", "close"]


def test_of_a_row_of_figures_the_newest_counts() -> None:
    (coin,) = coins_in("BTC/USDT 5m: close 1, 2, 3; EMA20 1.5 2.5 2.75; EMA50: 1 2 2.5\n")
    assert (coin.close, coin.ema20, coin.ema50, coin.atr14) == (3, 2.75, 2.5, 0)


@pytest.mark.parametrize("kind", SPOILED)
def test_a_spoiled_answer_is_no_valid_decision(kind: FaultKind) -> None:
    answer = answered(list(PROMPT), Memory(), kind)
    with pytest.raises(BadReply, match=SPOILED[kind]):
        parse_decision(answer.text, SYMBOLS)
    assert answer.finish_reason == ("length" if kind is FaultKind.CUT else "stop")


PIECES = (
    *("\nBTC/USDT: ", "\nETH/USDT", "close", "EMA20", "EMA50", "ATR14", "Position", " ", ", ", ":"),
    *("0", "1", "-1", "2.5", "1e400", "0.0", "nan"),
)


@given(text=st.text() | st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_any_prompt_is_answered_with_a_decision(text: str) -> None:
    answer = answered([("user", text)], Memory(), None)
    assert set(json.loads(answer.text)) == {"summary", "proposals"}


async def test_faults_come_and_go_by_hand(client: Client) -> None:
    answer = await client.post("/control/faults", json={"kind": "throttling", "count": 2})
    assert (await answer.json())["rules"] == [
        {"kind": "throttling", "count": 2, "seed": 0, "used": 0}
    ]
    assert [(await asked(client))[0] for _ in range(3)] == [429, 429, 200]
    await client.post("/control/faults", json=[{"kind": "arrearage"}, {"kind": "bad_json"}])
    assert (await asked(client))[0] == 400
    assert (await (await client.delete("/control/faults")).json())["rules"] == []
    assert (await asked(client))[0] == 200
    assert (await (await client.get("/control/faults")).json())["asked"] == 5


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('{"kind": "gremlins"}', "kind"),
        ('{"kind": "slow"}', "delay_ms belongs to the kind slow"),
        ('{"kind": "cut", "count": 0}', "count"),
        ("no json", "The body is not JSON"),
    ],
)
async def test_a_fault_that_cannot_be_is_told(client: Client, body: str, told: str) -> None:
    answer = await client.post("/control/faults", data=body)
    assert answer.status == 400
    assert told in (await answer.json())["error"]


@given(seed=st.integers(0, 2**32), probability=st.floats(0, 1))
def test_chance_strikes_the_same_questions_for_the_same_seed(seed: int, probability: float) -> None:
    rule = FaultRule(kind=FaultKind.CUT, probability=probability, seed=seed)
    runs = []
    for _ in range(2):
        faults = Faults()
        faults.add([rule])
        runs.append([faults.on_question() is not None for _ in range(50)])
    assert runs[0] == runs[1]
    assert probability > 0 or not any(runs[0])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"messages": []}, "messages"),
        ({"model": ""}, "model"),
        ({"temperature": 3}, "temperature"),
        (
            {
                "messages": [{"role": "user", "content": "hello"}],
                "response_format": {"type": "json_object"},
            },
            "must contain the word 'json'",
        ),
        ({"model": "qwen-max", "response_format": {"type": "json_schema"}}, "json_schema"),
        ({"model": "gpt-5-mini", "temperature": 0}, "temperature"),
    ],
)
async def test_what_providers_refuse_is_refused(
    client: Client, changes: dict[str, object], told: str
) -> None:
    status, body = await asked(client, **changes)
    assert status == 400
    assert told in body["error"]["message"]


async def test_a_question_without_a_key_is_refused(client: Client) -> None:
    answer = await client.post("/v1/chat/completions", json={})
    assert answer.status == 401


async def test_it_says_which_models_there_are_and_that_it_answers(client: Client) -> None:
    models = await (await client.get("/v1/models")).json()
    assert "qwen-max" in [model["id"] for model in models["data"]]
    assert (await client.get("/healthz")).status == 200


def test_the_command_says_where_it_listens_and_ends_in_good_order() -> None:
    command = [sys.executable, "-m", "oxbot.model_server", "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        assert said["pid"] == process.pid
        with urllib.request.urlopen(f"{said['url']}/healthz", timeout=30) as answer:  # noqa: S310 - loopback
            assert json.load(answer) == {"status": "ok"}
        process.terminate()
        assert process.wait(30) == 0


def test_the_page_on_models_names_every_fault() -> None:
    page = (Path(__file__).parents[3] / "docs" / "models.md").read_text()
    assert [kind for kind in FaultKind if f"`{kind}`" not in page] == []


def test_a_taken_port_is_told_with_its_setting(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert run(taken.getsockname()[1], as_json=False) == 1
    assert "OXBOT_MODEL_SERVER_PORT" in capsys.readouterr().err
