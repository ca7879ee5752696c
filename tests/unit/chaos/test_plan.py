"""What comes next rests on all runs before, those of a file of finished runs included."""

from decimal import Decimal

from chaos_matrix.injection import Injection
from chaos_matrix.plan import TRIES, Plan
from chaos_matrix.verdict import Outcome
from chaos_matrix.ways import Way

from oxbot.domain.bot import Mode

POINT = Injection(
    name="live:kill", style="decided", mode=Mode.LIVE, ways=(Way(), Way(late=True), Way(wait_s=1))
)


def run(way: int, *, hit: bool) -> Outcome:
    named = {"number": 1, "bot_id": "b", "injection": POINT.name}
    figures = {"seconds": 1, "counts": {}, "drift_usdt": Decimal(0)}
    return Outcome.model_validate({**named, **figures, "way": way, "hit": hit})


def after(*done: Outcome) -> Plan:
    return Plan((POINT,), 100, done, 1)


def test_ways_are_tried_in_turn_until_one_leads_there() -> None:
    missed = run(0, hit=False)
    tried = [after(*[missed] * n).way_of(POINT) for n in range(4 * TRIES)]
    assert tried == [0, 0, 1, 1, 2, 2, 0, 0]


def test_a_way_that_has_led_there_before_is_taken_again_though_it_missed_since() -> None:
    plan = after(*[run(0, hit=False)] * TRIES, run(1, hit=True))
    for _ in range(2 * TRIES):
        plan.note(run(1, hit=False))
    assert plan.way_of(POINT) == 1


def test_what_is_learnt_of_a_run_is_the_same_as_what_is_read_of_it() -> None:
    plan = after()
    for outcome in (run(0, hit=False), run(2, hit=True), run(1, hit=True)):
        plan.note(outcome)
    assert plan.way_of(POINT) == 2
