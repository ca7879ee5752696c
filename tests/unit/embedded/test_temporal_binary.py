"""Ways to Temporal's program, with small scripts in the places of `temporal` and `go`."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from oxbot.domain.errors import SetupError
from oxbot.embedded import temporal_binary, temporal_ways
from oxbot.embedded.temporal_binary import TemporalBinary

VERSION_LINE = "temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)"

PROGRAM = f"#!/bin/sh\necho '{VERSION_LINE}'\n"

GO = f"""#!/bin/sh
echo "$@" >> "$0.calls"
echo "go: downloading something" >&2
sleep 0.3
printf "%s\\n" "#!/bin/sh" "echo '{VERSION_LINE}'" > "$GOBIN/temporal"
chmod +x "$GOBIN/temporal"
"""

Put = Callable[[str, str], Path]


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Put:
    """Put a script on PATH, which holds nothing else of interest; the user's cache is empty."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for proxy in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(proxy, "http://127.0.0.1:1")  # whatever the network, no download

    def write(name: str, script: str) -> Path:
        path = programs / name
        path.write_text(script)
        path.chmod(0o755)
        return path

    return write


async def test_a_program_on_path_is_used_as_it_is(put: Put) -> None:
    path = put("temporal", PROGRAM)
    found = await temporal_binary.obtain(print)
    assert found == TemporalBinary(path, "on PATH", VERSION_LINE)
    assert found.server == (1, 29, 1)


async def test_a_program_on_path_that_does_not_run_is_passed_over(put: Put) -> None:
    put("temporal", "#!/bin/sh\nexit 126\n")
    assert await temporal_binary.find() is None


async def test_where_no_download_is_go_builds_it_once_for_all_checkouts(put: Put) -> None:
    go = put("go", GO)
    said: list[str] = []
    first = await temporal_binary.obtain(said.append)
    second = await temporal_binary.obtain(said.append)
    assert first.path == second.path == temporal_binary.cached_path()
    calls = go.with_name("go.calls").read_text().splitlines()
    assert len(calls) == 1
    assert calls[0].startswith("install -v -trimpath -ldflags=")
    assert calls[0].endswith("github.com/temporalio/cli/cmd/temporal@v1.5.1")
    assert any("No Temporal by download" in line for line in said)
    assert {path.name for path in first.path.parent.iterdir()} == {"temporal", "lock"}


async def test_two_starts_at_once_fetch_it_once(put: Put) -> None:
    go = put("go", GO)
    both = await asyncio.gather(temporal_binary.obtain(print), temporal_binary.obtain(print))
    assert both[0].path == both[1].path
    assert len(go.with_name("go.calls").read_text().splitlines()) == 1


async def test_where_no_way_leads_to_it_each_is_named(put: Put) -> None:
    put("go", "#!/bin/sh\necho 'go.mod requires go >= 1.25.0' >&2\nexit 1\n")
    with pytest.raises(SetupError) as refusal:
        await temporal_binary.obtain(print)
    for part in ("not on PATH", "cannot be downloaded", "requires go >= 1.25.0", "TEMPORAL_ADDR"):
        assert part in str(refusal.value)
    assert not temporal_binary.cached_path().exists()


async def test_a_download_that_brings_nothing_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against a server that accepts and never answers, as behind some firewalls."""
    server = await asyncio.start_server(lambda _reader, _writer: asyncio.sleep(60), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    for proxy in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(proxy, f"http://127.0.0.1:{port}")
    monkeypatch.setattr(temporal_ways, "SILENCE_S", 0.5)
    with pytest.raises(temporal_ways.NotThisWay):
        await temporal_ways.download(tmp_path, print)
    server.close()
