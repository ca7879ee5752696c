"""A benchmark of control that was broken off goes on where it was."""

from pathlib import Path

import pytest
from control_bench.progress import Progress, Run
from finished import Head

HEAD = Head(commit="abc", seed=1)


def test_finished_runs_are_not_made_again_and_an_unfinished_line_is_none(tmp_path: Path) -> None:
    file = tmp_path / "runs"
    first = Progress(HEAD, file)
    assert first.left(3) == [1, 2, 3]
    first.keep(Run(number=1, why_not="", seconds=9.5))
    first.keep(Run(number=3, why_not="sent after the answer: o1", seconds=8.0))
    with file.open("a") as broken_off:
        broken_off.write('{"number": 2, "why')
    again = Progress(HEAD, file)
    assert again.done == first.done
    assert again.left(4) == [2, 4]
    again.keep(Run(number=2, why_not="", seconds=1.0))
    assert Progress(HEAD, file).left(3) == []


def test_runs_of_another_commit_or_seed_are_not_gone_on_with(tmp_path: Path) -> None:
    Progress(HEAD, tmp_path / "runs")
    with pytest.raises(ValueError, match="Give another file"):
        Progress(HEAD.model_copy(update={"commit": "abd"}), tmp_path / "runs")


def test_a_run_has_its_moment_whichever_were_made_before_it() -> None:
    moments = [Progress(HEAD).moment(number) for number in range(1, 50)]
    assert moments == [Progress(HEAD).moment(number) for number in range(1, 50)]
    assert len(set(moments)) == len(moments)
    assert all(0 <= moment < 1 for moment in moments)
