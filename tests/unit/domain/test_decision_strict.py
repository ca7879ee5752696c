"""A reply that two readers could take differently, or that no record can keep, is refused."""

import json
from decimal import Decimal

import pytest

from oxbot.domain.decision import Decision, parse_decision
from oxbot.domain.errors import BadReply
from tests.unit.domain.test_decision import GOOD, HOLD, NUMBERS, SYMBOLS, must_be_refused, reply


def test_a_close_sells_all() -> None:
    told = "BTC/USDT: a close sells all; a part is sold by reduce."
    with pytest.raises(BadReply, match=told):
        parse_decision(reply(action="close", fraction="0.5"), SYMBOLS)
    for whole in ({"fraction": "1.0"}, {}):
        (proposal,) = parse_decision(reply(action="close", **whole), SYMBOLS).proposals
        assert proposal.fraction == 1


def test_what_was_kept_before_a_rule_can_still_be_read() -> None:
    kept = reply(action="close", fraction="0.5", reason="a\x00b")
    assert Decision.model_validate_json(kept).proposals[0].fraction == Decimal("0.5")


@pytest.mark.parametrize(
    "number", ["\u0660.\u0667", "0.\u0667", "0_1", "1_0e-1", "\uff10.\uff17", "0.7\u2003"]
)
@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_is_written_in_plain_digits(name: str, number: str) -> None:
    with pytest.raises(BadReply, match=f"{name}: .*digits 0 to 9"):
        parse_decision(reply(**{name: number}), SYMBOLS)


@pytest.mark.parametrize("letter", ["\x00", "\x07", "\r", "\x1b", "\x7f", "\x85"])
@pytest.mark.parametrize("name", ["reason", "invalidation"])
def test_a_text_with_a_control_character_is_refused(name: str, letter: str) -> None:
    """The database takes no NUL, and no terminal should be told what to do."""
    told = rf"BTC/USDT {name}: .*control characters.*U\+{ord(letter):04X}"
    with pytest.raises(BadReply, match=told):
        parse_decision(reply(**{name: f"a{letter}b"}), SYMBOLS)
    with pytest.raises(BadReply, match=r"summary: .*control characters"):
        parse_decision(json.dumps({**GOOD, "summary": f"a{letter}b"}), SYMBOLS)
    parse_decision(reply(**{name: "a\n\tb"}), SYMBOLS)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (reply().replace('"action": "buy"', '"action": "hold", "action": "buy"'), "action"),
        (reply().replace('"action": "buy"', '"action": "buy", "action": "buy"'), "action"),
        (f'{{"summary": "a", "proposals": [], "proposals": [{HOLD}]}}', "proposals"),
        ('{"summary": "a", "summary": "b", "proposals": []}', "summary"),
        ('{"summary": {"a": 1, "a": 2}, "summary": "b", "proposals": []}', "a"),
        ('{"summary": "a", "s\\u0075mmary": "b", "proposals": []}', "summary"),
    ],
)
def test_a_field_that_is_named_twice_is_refused(text: str, name: str) -> None:
    """Readers differ in which of the two they take."""
    with pytest.raises(BadReply, match=f"names the field {name} twice"):
        parse_decision(text, SYMBOLS)


@pytest.mark.parametrize("name", ["a\x00b", "a\x1b[31m", "a\u2028b"])
def test_a_refusal_shows_no_name_that_no_record_can_keep(name: str) -> None:
    must_be_refused(json.dumps({**GOOD, name: 1}))
    must_be_refused(
        f'{{"summary": {{{json.dumps(name)}: 1, {json.dumps(name)}: 2}}, '
        '"summary": "b", "proposals": []}'
    )
