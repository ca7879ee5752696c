"""Whatever a workflow waits for says in Temporal's tools what it is."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

WORKFLOWS = Path(__file__).parents[2] / "workflows"
ACTIVITIES = ("execute_activity_method", "start_activity_method", "execute_activity")
HANDLERS = ("signal", "update", "query")


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """Every call of `workflow.NAME(...)`: where it stands, its name, itself."""
    for path in sorted(WORKFLOWS.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                of = node.func.value
                if isinstance(of, ast.Name) and of.id == "workflow":
                    yield f"{path.name}:{node.lineno}", node.func.attr, node


def given(call: ast.Call) -> set[str | None]:
    """The names of its arguments; None stands for `**others`."""
    return {argument.arg for argument in call.keywords}


def test_each_activity_has_a_summary() -> None:
    found = [(where, given(call)) for where, name, call in calls() if name in ACTIVITIES]
    assert len(found) > 10
    assert [where for where, names in found if not names & {"summary", None}] == []
    shared = [given(call) for _, name, call in calls() if name == "ActivityConfig"]
    assert shared
    assert all("summary" in names for names in shared)


def test_each_timer_has_a_summary() -> None:
    sleeps = [(where, given(call)) for where, name, call in calls() if name == "sleep"]
    waits = [(where, given(call)) for where, name, call in calls() if name == "wait_condition"]
    assert sleeps
    assert [where for where, names in sleeps if "summary" not in names] == []
    timed = [(where, names) for where, names in waits if "timeout" in names]
    assert timed
    assert [where for where, names in timed if "timeout_summary" not in names] == []


@pytest.mark.parametrize("kind", HANDLERS)
def test_each_signal_update_and_query_has_a_description(kind: str) -> None:
    found = [(where, given(call)) for where, name, call in calls() if name == kind]
    assert found
    assert [where for where, names in found if "description" not in names] == []
