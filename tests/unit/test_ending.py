"""Processes end with their exit code and all they printed, whatever the SDK's threads do."""

import subprocess
import sys

import pytest

END = "from oxbot.ending import end_process; print('done', end=''); end_process(3)"


@pytest.mark.parametrize("first", ["", "import temporalio.client; "])
def test_a_process_ends_with_its_code_and_everything_written(first: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", first + END], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (3, "done", "")


def test_the_interpreters_own_exit_is_left_out_once_the_sdk_is_loaded() -> None:
    code = "import atexit, temporalio.client; atexit.register(print, 'finalised'); " + END
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (3, "done")
