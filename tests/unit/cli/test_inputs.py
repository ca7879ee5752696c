"""What people type: symbols, percentages, limits, in the forms they type them."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxbot.cli import inputs
from oxbot.cli.bot_create import Wishes, limit_wishes
from oxbot.domain.errors import InputError


@pytest.mark.parametrize("text", ["BTC,ETH", "btc eth", "BTC/USDT, eth-usdt", "BTCUSDT;ETH"])
def test_a_symbol_may_be_written_as_people_write_it(text: str) -> None:
    assert inputs.parse_symbols(text) == ("BTC/USDT", "ETH/USDT")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "No symbol is named"),
        (" , ", "No symbol is named"),
        ("BTC,btc-usdt", "Named twice: BTC/USDT"),
        ("BTC/USDT/X", "is no symbol"),
        ("B\u20acC", "is no symbol"),
    ],
)
def test_what_is_no_list_of_symbols_is_refused_in_a_sentence(text: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        inputs.parse_symbols(text)


@given(st.text(max_size=60))
def test_any_text_gives_symbols_or_a_sentence(text: str) -> None:
    with suppress(InputError):
        symbols = inputs.parse_symbols(text)
        assert symbols
        assert all("/" in symbol for symbol in symbols)


def test_wishes_become_settings_and_the_rest_is_the_default() -> None:
    wishes = Wishes(symbols="BTC", capital="250.5", limits=limit_wishes({"stop": "2%"}, []))
    settings = wishes.settings()
    assert settings.symbols == ("BTC/USDT",)
    assert settings.capital == Decimal("250.5")
    assert settings.limits.stop == Decimal("0.02")
    assert settings.limits.target == Decimal("0.07")
    assert (settings.interval_s, settings.name) == (300, "BTC")


def test_a_model_and_who_decides_in_its_stead_can_be_wished_for() -> None:
    fallbacks = ("openai:qwen3:8b", "baseline")
    wishes = Wishes(provider="dashscope", model="qwen-plus", temperature="0.2", fallbacks=fallbacks)
    settings = wishes.settings()
    assert settings.deciders == "dashscope qwen-plus, else openai qwen3:8b, else baseline"
    assert settings.temperature == Decimal("0.2")
    assert settings.json_schema is None


def test_a_gate_can_be_wished_for_and_is_off_unless_it_is() -> None:
    settings = Wishes(provider="dashscope", gate="15").settings()
    assert settings.gate_bp == Decimal(15)
    assert settings.deciders == "dashscope, asked when something has changed (gate 15 bp)"
    assert Wishes().settings().gate_bp is None


def test_any_limit_can_be_wished_for_by_its_name() -> None:
    wishes = limit_wishes({"stop": None}, ["cooldown_s=600", "max_position=10%", "trailing=off"])
    settings = Wishes(limits=wishes).settings()
    assert settings.limits.cooldown_s == 600
    assert settings.limits.max_position == Decimal("0.1")


@pytest.mark.parametrize("wish", ["cooldown_s", "nosuch=1", "=1"])
def test_a_limit_that_there_is_not_is_refused_with_the_names_that_there_are(wish: str) -> None:
    with pytest.raises(InputError, match="cooldown_s, price_age_s"):
        limit_wishes({}, [wish])


@pytest.mark.parametrize(
    ("wishes", "complaint"),
    [
        (Wishes(capital="-5"), r"^capital: .*greater than 0 \(given: -5\)\.$"),
        (Wishes(capital="many"), "capital is 'many'"),
        (Wishes(temperature="3"), r"^temperature: .*less than or equal to 2 \(given: 3\)\.$"),
        (Wishes(fallbacks=("no such:x",)), r"^fallbacks\.0\.provider: "),
        (Wishes(gate="0"), r"^gate_bp: .*greater than 0 \(given: 0\)\.$"),
        (Wishes(gate="10001"), r"^gate_bp: .*less than or equal to 10000"),
        (Wishes(gate="narrow"), "gate is 'narrow'"),
        (Wishes(interval="soon"), r"^interval_s: .*\(given: soon\)\.$"),
        (Wishes(symbols="BTC-EUR"), r"only symbols quoted in USDT"),
        (Wishes(limits={"stop": Decimal("3.5")}), r"^limits\.stop: .*less than or equal to 1"),
        (Wishes(limits={"max_position": Decimal("0.9")}), "max_position must not exceed"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_field(wishes: Wishes, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        wishes.settings()


def test_each_wrong_field_gets_a_sentence_of_its_own() -> None:
    with pytest.raises(InputError) as caught:
        Wishes(capital="0", interval="0").settings()
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("text", "cycles"),
    [(None, None), ("3:5", range(3, 6)), ("7", range(7, 8)), ("4:4", range(4, 5))],
)
def test_cycles_are_named_by_their_first_and_last(text: str | None, cycles: range | None) -> None:
    assert inputs.cycle_range(text) == cycles


@pytest.mark.parametrize("text", ["", "a", "3-5", "3:x", ":5", "1:2:3", "-1"])
def test_what_names_no_cycles_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="write them as 10:50"):
        inputs.cycle_range(text)


def test_cycles_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(InputError, match="comes after the last one"):
        inputs.cycle_range("5:3")
