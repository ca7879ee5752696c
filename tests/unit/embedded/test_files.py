"""Paths, lock, logs and the file of addresses."""

import errno
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxbot.domain.errors import SetupError
from oxbot.embedded import addresses, logs, paths
from oxbot.embedded.addresses import Addresses, published, running
from oxbot.embedded.lock import exclusive
from oxbot.embedded.paths import DataDirectory, files_in

ADDRESSES = Addresses(
    temporal="127.0.0.1:7233",
    temporal_ui="http://127.0.0.1:8233",
    database_url="postgresql://oxbot@/oxbot?host=/somewhere",
    redis_url="unix:///somewhere/redis.sock",
    api="http://127.0.0.1:8020",
    simulator=None,
)


@given(st.text(alphabet="abcdefghij", min_size=1, max_size=200))
def test_a_socket_path_is_never_longer_than_the_system_takes(name: str) -> None:
    data = DataDirectory(Path("/tmp") / name)  # noqa: S108 - never made
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "_private_directory", lambda path: path)
        socket = data.socket_directory() / ".s.PGSQL.5432.lock"
    assert len(os.fsencode(socket)) <= 107


def test_two_long_data_directories_have_two_socket_directories(tmp_path: Path) -> None:
    one, other = (DataDirectory(tmp_path / (letter * 120)) for letter in "ab")
    assert one.socket_directory() != other.socket_directory()
    assert stat.S_IMODE(one.socket_directory().stat().st_mode) == 0o700
    for data in (one, other):
        data.socket_directory().rmdir()


def test_a_socket_directory_that_is_a_link_is_refused(data: DataDirectory, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (data.root / "run").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SetupError, match="belongs to somebody else"):
        data.socket_directory()


def test_a_data_directory_that_cannot_be_made_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SetupError, match=r"cannot be used.*OXBOT_HOME"):
        DataDirectory(tmp_path / "file" / "home").make()


def test_a_full_disk_is_named_as_such(data: DataDirectory) -> None:
    with pytest.raises(SetupError, match=r"The disk that holds .* is full"), files_in(data.root):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_files_with_addresses_are_for_their_owner_only(data: DataDirectory) -> None:
    with published(data, ADDRESSES, "session"):
        assert stat.S_IMODE(data.addresses.stat().st_mode) == 0o600


def test_a_running_system_is_found_and_a_stopped_one_is_not(data: DataDirectory) -> None:
    with published(data, ADDRESSES, "session-1"):
        found = addresses.find_running(data.root)
        assert found is not None
        assert (found.addresses, found.session, found.pid) == (ADDRESSES, "session-1", os.getpid())
    assert running(data.root) is None


def test_a_system_whose_supervisor_was_killed_does_not_run(data: DataDirectory) -> None:
    with published(data, ADDRESSES, "session"):
        content = json.loads(data.addresses.read_text())
        data.addresses.write_text(json.dumps({**content, "started": "before"}))
        assert running(data.root) is None


def test_a_file_of_addresses_that_was_cut_off_is_as_good_as_none(data: DataDirectory) -> None:
    data.addresses.write_text('{"pid": 1, ')
    assert running(data.root) is None


def test_addresses_become_the_settings_of_a_process() -> None:
    environment = ADDRESSES.as_environment()
    assert environment["TEMPORAL_ADDRESS"] == "127.0.0.1:7233"
    assert "OXBOT_SIMULATOR_URL" not in environment


def test_a_data_directory_has_one_holder_and_the_second_learns_who(data: DataDirectory) -> None:
    second = (
        "import sys; from pathlib import Path\n"
        "from oxbot.embedded.lock import exclusive\n"
        "from oxbot.embedded.paths import DataDirectory\n"
        "with exclusive(DataDirectory(Path(sys.argv[1]))): pass\n"
    )
    command = [sys.executable, "-c", second, str(data.root)]
    with exclusive(data):
        refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert f"already runs on {data.root} (process {os.getpid()}, since" in refused.stderr
    assert subprocess.run(command, check=False).returncode == 0


def test_a_start_keeps_the_log_before_it(data: DataDirectory) -> None:
    for run in ("first", "second", "third"):
        logs.rotate(data.logs)
        data.log("worker").write_text(run)
    assert data.log("worker").read_text() == "third"
    assert (data.logs / "worker.previous.log").read_text() == "second"
    assert len(list(data.logs.iterdir())) == 2


def test_a_log_that_grew_too_large_is_cut_while_its_program_goes_on_writing(
    data: DataDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "LARGEST_LOG_BYTES", 10)
    log = data.log("worker")
    with log.open("ab", buffering=0) as program:
        program.write(b"much too long\n")
        logs.trim(log)
        program.write(b"next\n")
    assert log.read_bytes() == b"next\n"
    assert logs.previous(log).read_bytes() == b"much too long\n"


def test_the_cause_of_an_end_is_the_fatal_line_not_what_follows_it(data: DataDirectory) -> None:
    log = data.log("postgres")
    log.write_text("LOG: starting\nFATAL:  lock file is in the way\nHINT: remove it\n")
    assert logs.cause(log) == f"It said: FATAL:  lock file is in the way (log: {log})"


def test_a_full_disk_is_found_in_a_log(data: DataDirectory) -> None:
    data.log("postgres").write_text("PANIC: could not write: No space left on device\n")
    assert "is full" in logs.cause(data.log("postgres"))
