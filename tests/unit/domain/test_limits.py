"""Limits of a bot: read as people write them, and changed whole or not at all."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from oxbot.domain.bot import BotSettings, Mode, RiskLimits
from oxbot.domain.errors import InputError
from oxbot.domain.limits import (
    FLAGS,
    FRACTIONS,
    MEANINGS,
    Given,
    changed_limits,
    limits_after,
    must_make_sense,
    read_limit,
    shown,
    spoken,
)
from oxbot.domain.money import Notional

pytestmark = pytest.mark.critical

LIMITS = RiskLimits()


def test_only_what_is_named_changes() -> None:
    after = limits_after(LIMITS, {"stop": "2%", "cooldown_s": 600, "flatten_at_limit": "yes"})
    assert changed_limits(LIMITS, after) == {
        "stop": ("0.035", "0.02"),
        "cooldown_s": ("900", "600"),
        "flatten_at_limit": ("no", "yes"),
    }


def test_a_percentage_and_a_fraction_are_the_same() -> None:
    assert read_limit("stop", "3.5%") == read_limit("stop", "0.035") == Decimal("0.035")
    assert read_limit("target", " 7 % ") == Decimal("0.07")


def test_a_trailing_stop_can_be_switched_on_and_off() -> None:
    on = limits_after(LIMITS, {"trailing": "2%"})
    assert on.trailing == Decimal("0.02")
    assert limits_after(on, {"trailing": "off"}) == limits_after(on, {"trailing": None}) == LIMITS


@pytest.mark.parametrize(
    ("wished", "complaint"),
    [
        ({}, "No limit is named"),
        ({"nosuch": "1"}, "no limit 'nosuch'; the limits are max_position"),
        ({"stop": "much"}, "stop is 'much', which is not a number"),
        ({"stop": "NaN"}, "stop is 'NaN'; it must be finite"),
        ({"stop": "Infinity"}, "stop is 'Infinity'"),
        ({"stop": "1E30"}, "stop is '1E30'; it must be finite and at most"),
        ({"stop": "0"}, "stop: .*greater than 0"),
        ({"stop": "-2%"}, "stop: .*greater than 0"),
        ({"stop": "101%"}, "stop: .*less than or equal to 1"),
        ({"stop": "100%", "target": "9"}, "stop is 100%: .*protect nothing"),
        ({"trailing": "100%"}, "trailing is 100%: .*protect nothing"),
        ({"stop": "0.000000001"}, "stop: a limit has at most 8 decimals"),
        ({"stop": None}, "stop cannot be off"),
        ({"stop": "off"}, "stop is 'off', which is not a number"),
        ({"cooldown_s": "1.5"}, "cooldown_s: .*integer"),
        ({"cooldown_s": "5%"}, "cooldown_s is '5%', which is not a number"),
        ({"cooldown_s": 10**12}, "cooldown_s: .*less than or equal to"),
        ({"entries_a_day": -1}, "entries_a_day: .*greater than or equal to 0"),
        ({"flatten_at_limit": "perhaps"}, "flatten_at_limit is 'perhaps'; say yes or no"),
        ({"shortest_hold_s": 13_800}, "shortest_hold_s must be below longest_hold_s"),
        ({"longest_hold_s": 600}, "shortest_hold_s must be below longest_hold_s"),
        ({"max_position": "86%"}, "max_position must not exceed max_exposure"),
        ({"max_exposure": "14%"}, "max_position must not exceed max_exposure"),
        ({"target": "5%"}, "target 0.05 and stop 0.035 the reward is 1.43 times"),
        ({"reward_risk": "2.01"}, "reward_risk asks for 2.01"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence_that_names_the_limit(
    wished: dict[str, Given], complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        limits_after(LIMITS, wished)


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("stop", "0.0350000000000000000001", "at most 8 decimals"),
        ("stop", "1E-999999", "at most 8 decimals"),
        ("target", "7E-9", "at most 8 decimals"),
        ("minimum_notional", "10.000000001", "at most 8 decimals"),
        ("fee_round_trips", "1E+999999", "less than or equal to 100"),
        ("stop", 0.035, "never floats"),
        ("stop", True, "never floats"),
        ("minimum_notional", 10.5, "never floats"),
        ("slippage_bp", 20.0, "never floats"),
        ("stop", "NaN", "finite"),
    ],
)
def test_what_the_record_cannot_keep_is_refused_wherever_limits_are_made(
    name: str, value: object, complaint: str
) -> None:
    with pytest.raises(ValidationError, match=complaint):
        RiskLimits.model_validate({name: value})
    with pytest.raises(ValidationError, match=complaint):
        BotSettings.model_validate({"name": "mine", "limits": {name: value}})


@pytest.mark.parametrize(("name", "given"), [("gate_bp", "0.000000001"), ("budget_usd", 1.5)])
def test_so_are_the_other_thresholds_of_a_bot(name: str, given: object) -> None:
    with pytest.raises(ValidationError, match=name):
        BotSettings.model_validate({"name": "mine", name: given})


@given(
    st.sampled_from(FRACTIONS),
    st.decimals(0, 2, allow_nan=False, allow_infinity=False)
    | st.integers(0, 2 * 10**9).map(lambda number: Decimal(number).scaleb(-9)),
)
def test_a_limit_that_is_taken_is_the_number_that_was_given_and_can_be_kept(
    name: str, number: Decimal
) -> None:
    with suppress(ValidationError):
        wide = {"reward_risk": "0.00000001", "max_exposure": "1", "max_position": "0.00000001"}
        taken = getattr(RiskLimits.model_validate({**wide, name: str(number)}), name)
        assert taken == number == round(number, 8)
        again = RiskLimits.model_validate_json(
            RiskLimits.model_validate({**wide, name: taken}).model_dump_json()
        )
        assert getattr(again, name) == number


def test_a_live_stop_within_the_slippage_of_its_entry_is_refused() -> None:
    near: dict[str, Given] = {"stop": "0.2%", "slippage_bp": "20"}
    assert limits_after(LIMITS, near).stop == Decimal("0.002")
    with pytest.raises(InputError, match="sold at once"):
        limits_after(LIMITS, {**near, "slippage_bp": "20.1"}, mode=Mode.LIVE)
    limits_after(LIMITS, {**near, "slippage_bp": "19.9"}, mode=Mode.LIVE)


def test_changes_that_fit_only_together_are_made_together() -> None:
    wished: dict[str, Given] = {"shortest_hold_s": 14_000, "longest_hold_s": 14_399}
    assert limits_after(LIMITS, wished).shortest_hold_s == 14_000


def test_a_capital_too_small_for_any_entry_is_refused() -> None:
    must_make_sense(LIMITS, Notional(67))
    with pytest.raises(InputError, match=r"allows 9\.90 USDT .*minimum_notional asks for 10"):
        must_make_sense(LIMITS, Notional(66))


@given(
    st.dictionaries(
        st.sampled_from([*RiskLimits.model_fields, "nosuch"]),
        st.one_of(
            st.none(),
            st.integers(),
            st.text(max_size=12),
            st.decimals(allow_nan=True, allow_infinity=True).map(str),
            st.decimals(0, 2, places=3).map(lambda number: f"{number * 100}%"),
        ),
        max_size=4,
    )
)
def test_any_wish_gives_sound_limits_or_a_sentence(wished: dict[str, Given]) -> None:
    with suppress(InputError):
        after = limits_after(LIMITS, wished)
        assert RiskLimits.model_validate(after.model_dump()) == after
        assert changed_limits(LIMITS, after).keys() <= wished.keys()


def test_each_limit_can_be_given_again_as_it_is_shown() -> None:
    limits = LIMITS.model_copy(update={"trailing": Decimal("0.02")})
    for name in RiskLimits.model_fields:
        value = getattr(limits, name)
        assert read_limit(name, spoken(value)) == read_limit(name, shown(name, value)) == value


def test_every_limit_is_explained_and_every_fraction_and_flag_is_a_limit() -> None:
    assert list(MEANINGS) == list(RiskLimits.model_fields)
    assert {*FRACTIONS, *FLAGS} <= RiskLimits.model_fields.keys()
