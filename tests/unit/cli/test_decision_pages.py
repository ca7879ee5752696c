"""Decisions as people are shown them."""

from datetime import UTC
from decimal import Decimal

from oxbot.app.decisions import DecisionPage, DecisionRow
from oxbot.cli import decision_pages
from oxbot.domain.decision import Action, Decision, Proposal
from oxbot.domain.money import Price, Quantity
from oxbot.domain.orders import Purpose
from oxbot.domain.risk import Ruling, Verdict
from oxbot.records import DecisionRecord, OrderRow
from tests.support.fakes import BTC, ETH
from tests.unit.cli.test_limits import written

DECISION = Decision(
    summary="Buy BTC, hold the rest.",
    proposals=(
        Proposal(
            symbol=BTC,
            action=Action.BUY,
            fraction=Decimal("0.5"),
            confidence=Decimal("0.8"),
            expected_move=Decimal("0.02"),
            stop_price=Price(58_000),
            invalidation="a close below 58,500",
            reason="It rises with volume.",
        ),
        Proposal(symbol=ETH, action=Action.HOLD, confidence=Decimal("0.6"), reason="Flat."),
    ),
)
RECORD = DecisionRecord(
    id="b1-7",
    bot_id="b1",
    cycle=7,
    provider="dashscope",
    model="qwen-max-2025-01-25",
    label="dashscope qwen-max",
    prompt_hash="0123456789abcdef",
    prompt="system: trade\n\nuser: facts [of the market]",
    reply='{"proposals": [1]}',
    decision=DECISION.model_dump_json(),
    request_id="r-1",
    tokens_in=3000,
    tokens_out=400,
    tokens_cached=1200,
    cost_usd=Decimal("0.00736"),
    duration_ms=2_300,
    repaired=True,
)
VERDICT = Verdict(
    symbol=BTC, purpose=Purpose.ENTRY, ruling=Ruling.REFUSED, rule="spread", reason="too wide"
)
ORDER = OrderRow(
    id="o1",
    cycle=7,
    symbol=BTC,
    side="buy",
    purpose="entry",
    quantity=Quantity("0.1"),
    state="filled",
    reason="",
    filled=Quantity("0.1"),
    price=Price(60_000),
)


def page(**changes: object) -> str:
    whole = DecisionPage(
        record=RECORD, due_ms=0, decided_ms=0, verdicts=(VERDICT,), orders=(ORDER,), trades=()
    ).model_copy(update=changes)
    return written(lambda console: decision_pages.write_page(console, whole, UTC, prompt=True))


def test_a_page_tells_what_was_seen_said_judged_and_done() -> None:
    told = page()
    seen = (
        "Decision b1-7: cycle 7 of bot b1",
        "by dashscope qwen-max in 2 s, after a repair request",
        "request r-1 at dashscope, model qwen-max-2025-01-25",
        "tokens 3000 in (1200 cached), 400 out; 0.00736 USD",
        "prompt 0123456789ab of version 0",
        "user: facts [of the market]",
        '{"proposals": [1]}',
        "Buy BTC, hold the rest.",
        "BTC/USDT entry refused by spread: too wide",
        "buy BTC (entry)",
        "no position was closed yet",
    )
    places = [told.find(words) for words in seen]
    assert -1 not in places, told
    assert places == sorted(places)
    assert "50 %" in told
    assert "Wrong if:" in told


def test_a_decision_that_held_says_why() -> None:
    held = RECORD.model_copy(
        update={"decision": None, "failed": "The key is not taken.", "reply": "", "repaired": False}
    )
    told = page(record=held, verdicts=(), orders=())
    assert "The cycle held: The key is not taken." in told
    assert "no orders" in told
    assert "nothing was proposed" in told


UNCHANGED = "Not asked: nothing has changed since cycle 5 (no price by 15 bp)."
GATED = RECORD.model_copy(
    update={
        "prompt_hash": "",
        "prompt": "",
        "reply": "",
        "request_id": "",
        "decision": Decision(proposals=(), summary=UNCHANGED).model_dump_json(),
        "repaired": False,
        "gated": True,
    }
)


def test_a_gated_decision_says_that_nobody_was_asked_and_shows_nothing_as_seen_or_said() -> None:
    told = page(record=GATED, verdicts=(), orders=())
    assert f"no model was asked\n{UNCHANGED}" in told
    for words in ("What the model saw", "What it said", "What it decided", "tokens", "prompt"):
        assert words not in told
    assert "What the rules said" in told
    assert "no orders" in told


def test_a_decision_that_no_budget_allowed_says_so_and_shows_nothing_as_seen_or_said() -> None:
    spent = {"decision": None, "gated": False, "failed": "The budget is spent."}
    told = page(record=GATED.model_copy(update=spent), verdicts=(), orders=())
    assert "no model was asked\nThe cycle held: The budget is spent." in told
    assert "What the model saw" not in told


def test_a_page_shows_the_reply_that_was_asked_to_be_repaired_and_who_was_passed_over() -> None:
    passed_over = "dashscope does not take this API key for qwen-max."
    told = page(
        record=RECORD.model_copy(
            update={"first_reply": "Buy everything!", "passed_over": passed_over}
        )
    )
    assert told.index("Buy everything!") < told.index("What it said\n") < told.index("[1]")
    assert f"Another should have decided: {passed_over}" in " ".join(told.split())
    fallback = written(
        lambda console: decision_pages.write_list(console, [row(passed_over=passed_over)], UTC)
    )
    assert "(fallback)" in fallback


def row(**changes: object) -> DecisionRow:
    fields = {"id": "b1-7", "bot_id": "b1", "cycle": 7, "due_ms": 0, "label": "dashscope qwen-max"}
    figures = {"tokens_in": 3000, "tokens_out": 400, "cost_usd": Decimal("0.00736")}
    rest = {"decision": RECORD.decision, "failed": None, "repaired": False, "duration_ms": 5}
    rest |= {"asked": True, "gated": False}
    return DecisionRow.model_validate(fields | figures | rest | changes)


def test_a_list_has_a_line_for_each_and_what_they_cost() -> None:
    rows = [row(id="b1-8", decision=None, failed="no JSON"), row()]
    told = written(lambda console: decision_pages.write_list(console, rows, UTC))
    assert "2 decisions, 1 of them held; 2 asked for; 0.01472 USD." in told
    assert "held: no JSON" in " ".join(told.split())
    assert max(map(len, told.splitlines())) <= 80
    empty = written(lambda console: decision_pages.write_list(console, [], UTC))
    assert "No model has decided anything yet." in empty


def test_a_list_says_who_was_not_asked_and_how_many_the_gate_skipped() -> None:
    gated = row(id="b1-9", asked=False, gated=True, decision=GATED.decision)
    spent = row(id="b1-8", asked=False, decision=None, failed="The budget is spent.")
    rows = [gated, spent, row()]
    told = written(lambda console: decision_pages.write_list(console, rows, UTC))
    assert told.count("(not asked)") == 2
    assert "3 decisions, 1 of them held; 1 asked for, 1 skipped (nothing changed);" in told
    assert "nothing has changed since cycle 5" in " ".join(told.split())
