"""What the matrix injects is read from the code."""

import importlib
from collections import Counter

import pytest
from chaos_matrix.awaits import ONLY_LIVE, activities_found, executing
from chaos_matrix.injections import READS, catalogue, points, short
from chaos_matrix.mutants import MUTANTS
from chaos_matrix.ways import LIKELY, NOT_LED_TO

from oxbot.domain.bot import Mode


def test_every_activity_of_the_worker_is_known() -> None:
    assert {"open_run", "decide", "execute_order", "protect", "watch_prices"} <= set(
        activities_found(Mode.LIVE)
    )


def test_what_is_awaited_on_the_way_of_an_order_is_found_through_all_functions() -> None:
    assert {"claim", "place", "look_up", "release", "settle"} <= set(
        executing(Mode.LIVE)["execute_order"]
    )
    assert {"intend_exit", "place", "known_orders", "claim"} <= set(executing(Mode.LIVE)["protect"])
    assert "decide" not in executing(Mode.LIVE)


@pytest.mark.parametrize("mode", Mode)
def test_each_point_has_an_injection_and_none_has_two_of_a_name(mode: Mode) -> None:
    names = [each.name for each in catalogue(mode)]
    assert Counter(names).most_common(1)[0][1] == 1
    for point in points(mode):
        assert any(name.startswith(f"{mode}:kill:{point}") for name in names)


def test_what_is_said_of_methods_and_functions_names_what_there_is() -> None:
    for called in ONLY_LIVE:
        assert callable(getattr(importlib.import_module(called.module), called.name))
    methods = {(of, name) for of, names in executing(Mode.LIVE).items() for name in names}
    assert set(LIKELY) <= methods
    assert methods >= NOT_LED_TO
    assert {name for _, name in methods} | {"written_off"} >= READS


def test_the_short_form_and_the_mutants_name_what_there_is() -> None:
    for mode in Mode:
        assert short(mode)
    for mutant in MUTANTS:
        assert any(mutant.only in each.name for each in catalogue(mutant.mode))


@pytest.mark.parametrize("mode", Mode)
def test_wherever_a_worker_is_suspended_it_is_for_long_and_for_less(mode: Mode) -> None:
    sleeps = {
        each.name: each.ways for each in catalogue(mode) if each.name.startswith(f"{mode}:suspend:")
    }
    long = {name for name in sleeps if not name.endswith(":soon")}
    assert sleeps.keys() == long | {f"{name}:soon" for name in long}
    for name, ways in sleeps.items():
        assert {way.steps[-1].soon for way in ways} == {name.endswith(":soon")}
