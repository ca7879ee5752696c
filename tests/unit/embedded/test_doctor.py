import os
import socket
from pathlib import Path

import pytest
from pydantic import SecretStr

from oxbot.domain.errors import SetupError
from oxbot.embedded import binaries
from oxbot.embedded.doctor import Finding, can_start, examine
from oxbot.settings import Settings


async def examined(settings: Settings) -> dict[str, Finding]:
    return {finding.name: finding for finding in await examine(settings)}


@pytest.fixture
def no_exchange(settings: Settings) -> Settings:
    """Where OKX would be, nobody answers; nothing leaves this machine."""
    return settings.model_copy(update={"okx_rest_url": "http://127.0.0.1:1"})


async def test_a_missing_exchange_is_said_and_is_no_obstacle(no_exchange: Settings) -> None:
    findings = await examined(no_exchange)
    assert not findings["OKX"].ok
    assert "oxbot up --simulator" in findings["OKX"].detail
    assert can_start(list(findings.values()))


async def test_looking_makes_nothing(no_exchange: Settings) -> None:
    await examine(no_exchange)
    assert not no_exchange.home.exists()


async def test_a_taken_port_is_an_obstacle(no_exchange: Settings) -> None:
    with socket.create_server(("127.0.0.1", no_exchange.api_port)):
        findings = await examined(no_exchange)
    assert not findings[f"port {no_exchange.api_port}"].ok
    assert not can_start(list(findings.values()))


@pytest.mark.parametrize("whose", ["simulator_port", "model_server_port"])
async def test_ports_of_what_stands_in_for_others_matter_to_some_starts_only(
    no_exchange: Settings, whose: str
) -> None:
    port = getattr(no_exchange, whose)
    with socket.create_server(("127.0.0.1", port)):
        findings = await examined(no_exchange)
    assert not findings[f"port {port}"].ok
    assert can_start(list(findings.values()))


async def test_it_is_said_which_models_can_be_asked_and_what_the_others_need(
    no_exchange: Settings,
) -> None:
    with_key = no_exchange.model_copy(
        update={"dashscope_api_key": SecretStr("sk-secret"), "openai_api_key": None}
    )
    models = (await examined(with_key))["models"]
    assert models.ok
    assert models.detail.startswith("baseline, dashscope can be asked; openai: set OPENAI_API_KEY")


async def test_a_missing_postgresql_is_an_obstacle_unless_one_is_given(
    no_exchange: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "installed_package", lambda _name: None)
    findings = await examined(no_exchange)
    assert "set DATABASE_URL" in findings["PostgreSQL"].detail
    assert not can_start(list(findings.values()))
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"postgresql://somewhere@127.0.0.1:{server.getsockname()[1]}/db"
        given = no_exchange.model_copy(update={"database_url": url})
        assert (await examined(given))["PostgreSQL"].ok


async def test_a_data_directory_that_cannot_be_written_is_an_obstacle(
    no_exchange: Settings, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    blocked = no_exchange.model_copy(update={"home": tmp_path / "file"})
    assert not (await examined(blocked))["data directory"].ok


def test_root_where_namespaces_are_refused_is_told_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(binaries, "ROOTLESS", ("false",))
    with pytest.raises(SetupError, match=r"does not run as root.*DATABASE_URL"):
        binaries.rootless_prefix()
