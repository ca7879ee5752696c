"""Runs are kept with what they are of, and never mixed with others."""

from decimal import Decimal
from pathlib import Path

import pytest
from chaos_matrix.report import State
from chaos_matrix.verdict import Outcome
from finished import Head

HEAD = Head(commit="abc", seed=7)
OUTCOME = Outcome(
    number=1,
    bot_id="b",
    injection="live:kill",
    hit=True,
    seconds=1,
    counts={},
    drift_usdt=Decimal(0),
)


def test_runs_that_are_kept_go_on_without_the_one_that_was_not_finished(tmp_path: Path) -> None:
    file = tmp_path / "runs"
    State(HEAD, file).keep(OUTCOME)
    with file.open("a") as torn:
        torn.write('{"number": 2, "bot')
    again = State(HEAD, file)
    again.keep(OUTCOME)
    assert again.runs == [OUTCOME, OUTCOME]
    assert State(HEAD, file).runs == [OUTCOME, OUTCOME]


@pytest.mark.parametrize("change", [{"commit": "def"}, {"seed": 8}, {"mutant": "fence"}])
def test_runs_of_something_else_are_not_added_to_them(
    tmp_path: Path, change: dict[str, object]
) -> None:
    file = tmp_path / "runs"
    State(HEAD, file).keep(OUTCOME)
    with pytest.raises(ValueError, match="Give another file"):
        State(HEAD.model_copy(update=change), file)
    assert State(HEAD, file).runs == [OUTCOME]


def test_a_file_of_runs_without_what_they_are_of_is_not_added_to(tmp_path: Path) -> None:
    file = tmp_path / "runs"
    file.write_text(OUTCOME.model_dump_json() + "\n")
    with pytest.raises(ValueError, match="Give another file"):
        State(HEAD, file)
