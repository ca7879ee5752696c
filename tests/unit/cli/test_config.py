"""Settings: where each comes from, and that no secret is shown."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from oxbot.cli.config_sources import HIDDEN, load_settings, rows, shown_value, variable
from oxbot.cli.env_example import env_example
from oxbot.domain.errors import InputError
from oxbot.settings import Settings

ROOT = Path(__file__).parents[3]
TEXT = FieldInfo(annotation=str)


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(variable(name), raising=False)


def sources() -> dict[str, tuple[str | None, str]]:
    return {row.variable: (row.value, row.source) for row in rows(load_settings())}


def test_each_setting_says_where_it_comes_from(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("OXBOT_API_PORT=8000\nDATABASE_URL=postgresql://a/b\n")
    monkeypatch.setenv("DATABASE_URL", "postgresql://c/d")
    found = sources()
    assert found["DATABASE_URL"] == ("postgresql://c/d", "environment")
    assert found["OXBOT_API_PORT"] == ("8000", ".env")
    assert found["OXBOT_SIMULATOR_PORT"] == ("8021", "default")


def test_an_empty_variable_leaves_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OXBOT_API_PORT", "")
    assert sources()["OXBOT_API_PORT"] == ("8020", "default")


@given(password=st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), min_size=9))
def test_no_password_inside_an_address_is_shown(password: str) -> None:
    for address in (f"postgresql://me:{password}@host/db", f"redis://:{password}@host:6379/0"):
        shown = shown_value(TEXT, address)
        assert shown is not None
        assert password not in shown
        assert HIDDEN in shown


def test_no_password_in_an_addresss_query_is_shown() -> None:
    shown = shown_value(TEXT, "postgresql:///db?host=/run&password=hunter2&user=me")
    assert shown == f"postgresql:///db?host=/run&password={HIDDEN}&user=me"


@pytest.mark.parametrize("annotation", [SecretStr, SecretStr | None])
def test_a_secret_is_never_shown(annotation: Any) -> None:  # noqa: ANN401 - a type
    field = FieldInfo(annotation=annotation)
    assert shown_value(field, SecretStr("hunter2")) == HIDDEN
    assert shown_value(field, None) is None


def test_the_keys_of_model_providers_are_hidden_and_cards_are_told_as_json(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("DASHSCOPE_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "sk-hunter2")
    monkeypatch.setenv("OXBOT_MODEL_CARDS", '{"mine": {"input_usd": "0.1", "output_usd": "2"}}')
    found = sources()
    assert found["DASHSCOPE_API_KEY"] == found["OPENAI_API_KEY"] == (HIDDEN, "environment")
    cards, _ = found["OXBOT_MODEL_CARDS"]
    assert cards is not None
    assert json.loads(cards)["mine"]["input_usd"] == "0.1"
    assert "hunter2" not in repr(load_settings())


KEY = ("OKX_API_KEY", "OKX_SECRET_KEY", "OKX_PASSPHRASE")


def test_the_parts_of_the_exchanges_key_are_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KEY:
        monkeypatch.setenv(name, "hunter2")
    found = sources()
    assert [found[name] for name in KEY] == [(HIDDEN, "environment")] * 3
    assert "hunter2" not in repr(load_settings())


@pytest.mark.parametrize("missing", [*KEY, "OXBOT_LIVE"])
def test_live_trading_needs_to_be_accepted_and_every_part_of_a_key(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    for name in KEY:
        monkeypatch.setenv(name, "hunter2")
    monkeypatch.setenv("OXBOT_LIVE", "accepted")
    assert load_settings().live_problem is None
    monkeypatch.setenv(missing, "")
    problem = load_settings().live_problem
    assert problem is not None
    assert re.search(rf"[Ss]et {missing}\b", problem)
    assert [name for name in (*KEY, "OXBOT_LIVE") if name in problem] == [missing]


@pytest.mark.parametrize("word", ["yes", "true", "1", "Accepted"])
def test_live_trading_is_accepted_by_that_very_word(
    monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.setenv("OXBOT_LIVE", word)
    with pytest.raises(InputError, match=rf"^OXBOT_LIVE: .*'accepted'.*given: {word}"):
        load_settings()


@pytest.mark.parametrize(
    ("cards", "told"),
    [("no json", "no JSON"), ('{"mine": {"input_usd": "-1"}}', "greater than or equal to 0")],
)
def test_cards_that_cannot_be_are_told_by_the_name_that_sets_them(
    monkeypatch: pytest.MonkeyPatch, cards: str, told: str
) -> None:
    monkeypatch.setenv("OXBOT_MODEL_CARDS", cards)
    with pytest.raises(InputError, match=told):
        load_settings()


def test_a_setting_that_cannot_be_is_told_by_the_name_that_sets_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OXBOT_API_PORT", "99999")
    monkeypatch.setenv("OXBOT_LOG_LEVEL", "loud")
    with pytest.raises(InputError) as caught:
        load_settings()
    level, port = str(caught.value).splitlines()
    assert level.startswith("OXBOT_LOG_LEVEL: ")
    assert port.startswith("OXBOT_API_PORT: ")
    assert port.endswith("(given: 99999).")


def test_a_time_zone_that_does_not_exist_is_told_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OXBOT_TIMEZONE", "Mars/X")
    with pytest.raises(InputError, match=r"^OXBOT_TIMEZONE: no time zone.*\(given: Mars/X\)\.$"):
        load_settings()


def test_an_env_file_that_is_no_text_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"\.env in this folder is not UTF-8"):
        load_settings()


def test_the_example_in_the_repository_is_the_one_of_the_model() -> None:
    assert (ROOT / ".env.example").read_text() == env_example()


def test_the_example_sets_what_is_default_when_it_is_uncommented(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lines = env_example().splitlines()
    names = tuple(f"# {variable(name)}=" for name in Settings.model_fields)
    settings = [line.removeprefix("# ") for line in lines if line.startswith(names)]
    assert len(settings) == len(names)
    before = load_settings()
    (tmp_path / ".env").write_text("\n".join(settings))
    assert load_settings() == before
