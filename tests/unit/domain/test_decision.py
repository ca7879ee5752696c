"""A model's reply is a valid decision, or it is refused with a reason; nothing in between."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxbot.domain.decision import Action, Decision, parse_decision
from oxbot.domain.errors import BadReply

SYMBOLS = ("BTC/USDT", "ETH/USDT")
GOOD = {
    "proposals": [
        {"symbol": "BTC/USDT", "action": "buy", "confidence": 0.7, "reason": "a trend"},
    ],
    "summary": "calm",
}
HOLD = '{"symbol": "BTC/USDT", "action": "hold", "confidence": "0.5", "reason": "calm"}'
NUMBERS = ("fraction", "confidence", "expected_move", "stop_price", "target_price")
ODD = (
    *("NaN", "-NaN", "sNaN", "Infinity", "-Infinity", "1e999999999", "1E-999999999", "0.0000e-9"),
    *("one half", "1_000", "٣", "½", "0x10", "--1", "+1", "1,5", " 1 ", "9" * 5_000, "-0", "1e400"),
    *("true", "null", "[1]", '{"a": 1}', "\ud800", "\x00", "1" + "0" * 400 + ".5"),
    *("[" * 5_000 + "]" * 5_000, '{"a":' * 250 + "1" + "}" * 250, "1" * 5_000 + ".5", "x" * 10**6),
    *(
        "\\u0000",
        "\\ud800",
        "\\udc00\\ud800",
        "\x1f",
        "\x7f",
        "\x85",
        "-" * 9,
        "1e5000",
        "0." + "3" * 9_000,
    ),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=12,
)


def reply(**changes: Any) -> str:  # noqa: ANN401 - whatever a model may write
    return json.dumps({**GOOD, "proposals": [{**GOOD["proposals"][0], **changes}]})  # type: ignore[dict-item]  # the example's first proposal


def must_be_a_decision_or_refused(text: str) -> None:
    try:
        decision = parse_decision(text, SYMBOLS)
    except BadReply:
        return
    assert isinstance(decision, Decision)
    assert {proposal.symbol for proposal in decision.proposals} <= set(SYMBOLS)


def must_be_refused(text: str) -> None:
    with pytest.raises(BadReply) as refusal:
        parse_decision(text, SYMBOLS)
    assert len(str(refusal.value)) < 1_000
    assert str(refusal.value).isprintable()


@given(st.text() | st.text(st.characters(codec=None)))
def test_any_text_is_a_decision_or_refused(text: str) -> None:
    must_be_a_decision_or_refused(text)


@given(JSON)
def test_any_json_is_a_decision_or_refused(value: Any) -> None:  # noqa: ANN401 - any JSON
    must_be_a_decision_or_refused(json.dumps(value))


@given(st.sampled_from(["symbol", "action", "confidence", "fraction", "expected_move", "x"]), JSON)
def test_any_value_in_any_place_is_a_decision_or_refused(name: str, value: Any) -> None:  # noqa: ANN401 - any JSON
    must_be_a_decision_or_refused(reply(**{name: value}))


@given(st.data())
def test_a_good_reply_that_was_damaged_anywhere_is_a_decision_or_refused(
    data: st.DataObject,
) -> None:
    """Cut, doubled, or with something else in the middle, as replies arrive."""
    text = reply(action="reduce", fraction="0.5", stop_price="1", invalidation="x")
    begin = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(begin, len(text)))
    middle = data.draw(st.text(st.characters(codec=None), max_size=9) | st.sampled_from(ODD))
    must_be_a_decision_or_refused(text[:begin] + middle + text[end:])


@given(st.sampled_from(NUMBERS), st.sampled_from(ODD) | st.text(max_size=9))
def test_no_spelling_of_a_number_raises_anything_else(name: str, number: str) -> None:
    must_be_a_decision_or_refused(reply(**{name: number}))
    good = reply(**{name: "0.123456"})
    must_be_a_decision_or_refused(good.replace('"0.123456"', number))


@given(st.sampled_from(ODD), st.sampled_from(ODD), st.sampled_from([*NUMBERS, "reason", "x"]))
def test_a_field_that_is_named_twice_raises_nothing_else_whatever_its_values_are(
    first: str, second: str, name: str
) -> None:
    """Parsers drop one of the two unread, so that its value has passed no check."""
    for one, other in ((first, second), (json.dumps(first), json.dumps(second))):
        twice = f'"{name}": {one}, "{name}": {other}, "confidence"'
        must_be_refused(reply().replace('"confidence"', twice))


@given(
    st.sampled_from(["reason", "invalidation"]),
    st.integers(490, 2_000),
    st.characters(codec="utf-8", exclude_categories=["Cc"]),
)
def test_a_text_beyond_its_size_is_refused(name: str, size: int, letter: str) -> None:
    text = reply(**{name: letter * size})
    most = 300 if name == "invalidation" else 500
    if size > most:
        with pytest.raises(BadReply, match=name):
            parse_decision(text, SYMBOLS)
    else:
        parse_decision(text, SYMBOLS)


def test_a_reduce_says_how_much() -> None:
    with pytest.raises(BadReply, match="a reduce names its fraction"):
        parse_decision(reply(action="reduce"), SYMBOLS)
    (proposal,) = parse_decision(reply(action="reduce", fraction="0.5"), SYMBOLS).proposals
    assert (proposal.action, proposal.fraction) == (Action.REDUCE, Decimal("0.5"))


def test_a_refusal_quotes_no_flood_of_the_reply() -> None:
    flood = json.dumps({"x" * 100_000: 1, "summary": "s" * 100_000, "proposals": []})
    with pytest.raises(BadReply) as refusal:
        parse_decision(flood, SYMBOLS)
    assert len(str(refusal.value)) < 500


@pytest.mark.parametrize("opening", ["[", '{"a":', '{"proposals":[', '{"summary":"s","summary":['])
def test_nesting_without_end_is_refused(opening: str) -> None:
    must_be_refused(opening * 100_000)


def test_symbols_without_end_are_refused_by_the_first_of_them() -> None:
    many = [json.loads(HOLD) | {"symbol": f"C{number}/USDT"} for number in range(5_000)]
    must_be_refused(json.dumps({**GOOD, "proposals": many}))


def test_a_good_reply_is_read_exactly() -> None:
    (proposal,) = parse_decision(reply(confidence=0.7, fraction="0.25"), SYMBOLS).proposals
    assert (proposal.action, proposal.confidence) == (Action.BUY, Decimal("0.7"))
    assert proposal.fraction == Decimal("0.25")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"symbol": "DOGE/USDT"}, "DOGE/USDT"),
        ({"symbol": "btc"}, "symbol"),
        ({"action": "short"}, "action"),
        ({"confidence": 1.01}, "confidence"),
        ({"confidence": "NaN"}, "confidence"),
        ({"confidence": float("nan")}, "confidence"),
        ({"confidence": "high"}, "confidence"),
        ({"confidence": "0.7 of 1"}, "confidence"),
        ({"fraction": "-0.5"}, "fraction"),
        ({"fraction": "half"}, "fraction"),
        ({"stop_price": "-1"}, "stop_price"),
        ({"stop_price": "NaN"}, "stop_price"),
        ({"stop_price": "Infinity"}, "stop_price"),
        ({"target_price": "1e19"}, "target_price"),
        ({"fraction": 0}, "fraction"),
        ({"fraction": 1.5}, "fraction"),
        ({"expected_move": -0.1}, "expected_move"),
        ({"reason": ""}, "reason"),
        ({"stop_loss": 1}, "stop_loss"),
    ],
)
def test_each_field_keeps_its_bounds_and_none_is_invented(
    change: dict[str, Any], named: str
) -> None:
    with pytest.raises(BadReply, match=named):
        parse_decision(reply(**change), SYMBOLS)


def test_a_symbol_named_twice_is_refused() -> None:
    twice = {**GOOD, "proposals": [*GOOD["proposals"], *GOOD["proposals"]]}
    with pytest.raises(BadReply, match="twice"):
        parse_decision(json.dumps(twice), SYMBOLS)
