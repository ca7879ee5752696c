"""Who was suspended for long hears too late that it was given up; who wakes soon hears it."""

import os
import signal
from pathlib import Path
from typing import cast

import pytest
from chaos_matrix.points import BEFORE, Deed, Marks, Step
from chaos_matrix.striking import Striker
from chaos_matrix.ways import at
from temporalio.testing import ActivityEnvironment

from oxbot.ports import Store


@pytest.mark.parametrize("soon", [True, False])
async def test_only_who_sleeps_for_long_is_deaf_when_it_wakes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, soon: bool
) -> None:
    signals: list[int] = []
    monkeypatch.setattr(os, "kill", lambda _pid, number: signals.append(number))
    outside = ActivityEnvironment()
    point = at(BEFORE, outside.info.activity_type, "place")
    step = Step(deed=Deed.SUSPEND, point=point, soon=soon)
    striker = Striker((step,), Marks(tmp_path), cast("Store", None))
    await outside.run(striker.pass_by, BEFORE, "place")
    assert signals == [signal.SIGSTOP]
    assert striker.is_deaf is not soon
