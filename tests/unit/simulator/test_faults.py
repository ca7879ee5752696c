"""Fault rules: which strike, when, and that chance is a function of what was asked."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxbot.domain.errors import InputError, NotFound, SetupError
from oxbot.simulator.fault_rules import FaultKind, FaultRule, parse_rules
from oxbot.simulator.faults import ActiveRule, Faults

NOW_MS = 1_735_689_600_000
HOUR_MS = 3_600_000
TICKERS, QUERY = "market/tickers", "instType=SPOT"


def faults_of(*rules: dict[str, object], now_ms: int = NOW_MS) -> Faults:
    faults = Faults()
    faults.add(parse_rules(list(rules)), now_ms)
    return faults


def struck(faults: Faults, times: int, now_ms: int = NOW_MS, endpoint: str = TICKERS) -> list[bool]:
    return [faults.on_request(endpoint, QUERY, now_ms) is not None for _ in range(times)]


def test_a_count_strikes_the_next_requests_and_no_more() -> None:
    assert struck(faults_of({"kind": "timeout", "count": 2}), 4) == [True, True, False, False]


def test_without_a_count_a_rule_strikes_always_until_it_is_removed() -> None:
    faults = faults_of({"kind": "reset"})
    assert all(struck(faults, 50))
    faults.remove("reset-1")
    assert not any(struck(faults, 5))


def test_a_window_begins_with_from_ms_and_ends_before_to_ms() -> None:
    faults = faults_of({"kind": "html", "from_ms": NOW_MS + 10, "to_ms": NOW_MS + 20})
    for offset, strikes in ((9, False), (10, True), (19, True), (20, False)):
        assert struck(faults, 1, NOW_MS + offset) == [strikes]


@pytest.mark.parametrize(
    ("rule_endpoint", "endpoint", "strikes"),
    [
        ("*", "public/time", True),
        ("market", "market/books", True),
        ("market/ticker", "market/ticker", True),
        ("market/ticker", "market/tickers", False),
        ("public", "market/ticker", False),
    ],
)
def test_an_endpoint_is_a_path_of_whole_segments(
    *, rule_endpoint: str, endpoint: str, strikes: bool
) -> None:
    faults = faults_of({"kind": "empty", "endpoint": rule_endpoint})
    assert struck(faults, 1, endpoint=endpoint) == [strikes]


def test_the_clock_alone_is_skewed_and_tickers_alone_are_stale() -> None:
    faults = faults_of({"kind": "clock_skew", "skew_ms": -5}, {"kind": "stale"})
    kinds = {
        endpoint: rule.kind if (rule := faults.on_request(endpoint, "", NOW_MS)) else None
        for endpoint in ("public/time", "market/tickers", "market/ticker", "market/books")
    }
    assert kinds == {
        "public/time": FaultKind.CLOCK_SKEW,
        "market/tickers": FaultKind.STALE,
        "market/ticker": FaultKind.STALE,
        "market/books": None,
    }


def test_stale_tickers_stand_where_the_rule_began() -> None:
    faults = faults_of(
        {"kind": "stale", "id": "now"}, {"kind": "stale", "id": "later", "from_ms": NOW_MS + 7}
    )
    assert [faults.stale_ms(rule) for rule in faults.rules()] == [NOW_MS, NOW_MS + 7]


def test_the_first_rule_that_strikes_is_used_and_the_others_wait() -> None:
    faults = faults_of({"kind": "reset", "count": 1}, {"kind": "timeout", "count": 1})
    rule = faults.on_request(TICKERS, QUERY, NOW_MS)
    assert rule is not None
    assert rule.kind is FaultKind.RESET
    assert [active.used for active in faults.active()] == [1, 0]


def test_a_chance_is_met_about_as_often_as_it_says_and_differs_by_seed() -> None:
    def hits(seed: int) -> list[bool]:
        faults = faults_of({"kind": "http_502", "probability": 0.05, "seed": seed, "id": "a"})
        return [struck(faults, 1, NOW_MS + second)[0] for second in range(4000)]

    assert 150 < sum(hits(1)) < 250
    assert hits(1) == hits(1) != hits(2)


questions = st.lists(
    st.tuples(st.sampled_from(["market/books", "market/ticker", "public/time"]), st.booleans()),
    max_size=20,
)


@given(questions, questions)
def test_chance_does_not_depend_on_what_else_was_asked(
    before: list[tuple[str, bool]], between: list[tuple[str, bool]]
) -> None:
    """Two asked twice at each of 20 moments; one of the two venues hears other questions too."""
    rule: dict[str, object] = {"kind": "reset", "probability": 0.5, "id": "a"}
    quiet, busy = faults_of(rule), faults_of(rule)
    for endpoint, _ in before:
        busy.on_request(endpoint, "other", NOW_MS)
    for moment in range(NOW_MS, NOW_MS + 20):
        for _ in range(2):
            assert struck(quiet, 1, moment) == struck(busy, 1, moment)
            for endpoint, same_query in between:
                busy.on_request(endpoint, QUERY if same_query else "", moment)


def test_asking_again_at_the_same_moment_is_another_draw() -> None:
    faults = faults_of({"kind": "reset", "probability": 0.5})
    assert 20 < sum(struck(faults, 100)) < 80


def test_a_drop_every_hour_raises_the_counter_at_each_full_hour() -> None:
    faults = faults_of({"kind": "ws_drop", "every_ms": HOUR_MS}, now_ms=NOW_MS + 1)
    seen = [faults.ws_drops_until(NOW_MS + offset) for offset in (1, HOUR_MS - 1, HOUR_MS)]
    assert seen == [0, 0, 1]
    assert faults.ws_drops_until(NOW_MS + 24 * HOUR_MS) == 24
    assert faults.ws(NOW_MS + HOUR_MS) is None


def test_drops_end_with_their_count_and_their_window() -> None:
    counted = faults_of({"kind": "ws_drop", "every_ms": HOUR_MS, "count": 3})
    assert counted.ws_drops_until(NOW_MS + 10 * HOUR_MS) == 3
    until = faults_of({"kind": "ws_drop", "every_ms": HOUR_MS, "to_ms": NOW_MS + 2 * HOUR_MS})
    assert until.ws_drops_until(NOW_MS + 10 * HOUR_MS) == 2
    once = faults_of({"kind": "ws_drop", "count": 1, "from_ms": NOW_MS + 5})
    assert [once.ws_drops_until(NOW_MS + offset) for offset in (4, 5, 10**6)] == [0, 1, 1]


def test_removing_a_drop_rule_never_lowers_the_counter() -> None:
    faults = faults_of({"kind": "ws_drop", "every_ms": HOUR_MS})
    seen = faults.ws_drops_until(NOW_MS + 5 * HOUR_MS)
    faults.clear()
    assert faults.ws_drops_until(NOW_MS + 9 * HOUR_MS) == seen


def test_stall_maintenance_and_a_lasting_drop_are_states_of_the_websocket() -> None:
    for kind in ("ws_stall", "maintenance", "ws_drop"):
        faults = faults_of({"kind": kind, "from_ms": NOW_MS + 5, "to_ms": NOW_MS + 9})
        in_force = [faults.ws(NOW_MS + offset) is not None for offset in (4, 5, 8, 9)]
        assert in_force == [False, True, True, False]
        assert faults.ws_drops_until(NOW_MS + 8) == 0


def test_maintenance_by_chance_or_of_one_endpoint_leaves_the_websocket_alone() -> None:
    for field, value in (("probability", 0.9), ("count", 5), ("endpoint", "market")):
        assert faults_of({"kind": "maintenance", field: value}).ws(NOW_MS) is None


def test_websocket_faults_never_strike_requests() -> None:
    faults = faults_of(
        {"kind": "ws_drop"}, {"kind": "ws_stall"}, {"kind": "maintenance", "endpoint": "ws"}
    )
    assert not any(struck(faults, 5))


def test_each_change_and_each_used_count_is_saved() -> None:
    saved: list[list[ActiveRule]] = []
    faults = Faults(save=lambda active: saved.append([one.model_copy() for one in active]))
    faults.add(parse_rules({"kind": "reset", "count": 3}), NOW_MS)
    struck(faults, 1)
    again = Faults(saved[-1])
    assert struck(again, 3) == [True, True, False]
    faults.clear()
    assert saved[-1] == []


def test_rules_that_cannot_be_saved_do_not_count() -> None:
    def full(_: list[ActiveRule]) -> None:
        raise SetupError("The disk is full.")

    faults = Faults([ActiveRule(rule=FaultRule(id="a", kind=FaultKind.HTML), began_ms=0)], full)
    with pytest.raises(SetupError):
        faults.add(parse_rules({"kind": "reset"}), NOW_MS)
    with pytest.raises(SetupError):
        faults.clear()
    assert [rule.id for rule in faults.rules()] == ["a"]


def test_a_rule_with_a_known_id_takes_its_place() -> None:
    faults = faults_of({"kind": "reset", "id": "a", "count": 1}, {"kind": "html"})
    struck(faults, 1)
    faults.add(parse_rules({"kind": "empty", "id": "a"}), NOW_MS)
    assert [(rule.id, rule.kind) for rule in faults.rules()] == [("html-1", "html"), ("a", "empty")]


def test_removing_what_is_not_there_is_refused() -> None:
    with pytest.raises(NotFound, match="no fault rule 'x'"):
        faults_of({"kind": "reset"}).remove("x")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({"kind": "reset", "cuont": 1}, r"cuont: not known here; a rule has id, kind"),
        ({"kind": "fire"}, "kind: "),
        ({}, "kind: Field required"),
        ("reset", "valid dictionary"),
        ({"kind": "reset", "count": 0}, "count: "),
        ({"kind": "reset", "count": True}, "count: "),
        ({"kind": "reset", "count": 1, "probability": 0.5}, "not both"),
        ({"kind": "reset", "probability": 1.5}, "probability: "),
        ({"kind": "reset", "endpoint": "/market"}, "endpoint: "),
        ({"kind": "reset", "endpoint": "ws"}, "on ws only"),
        ({"kind": "reset", "from_ms": 5, "to_ms": 5}, "from_ms must lie before to_ms"),
        ({"kind": "reset", "every_ms": 5000}, "every_ms belongs to kind ws_drop"),
        ({"kind": "code"}, "code belongs to kind code"),
        ({"kind": "reset", "code": "50011"}, "code belongs to kind code"),
        ({"kind": "slow"}, "delay_ms belongs to kind slow"),
        ({"kind": "clock_skew"}, "skew_ms belongs to kind clock_skew"),
        ({"kind": "ws_drop", "count": 2}, "more than one ws_drop needs every_ms"),
        ({"kind": "ws_drop", "probability": 0.5}, "probability belongs to requests"),
        ({"kind": "ws_drop", "endpoint": "market"}, "is of the endpoint ws"),
        ({"kind": "ws_drop", "endpoint": "*"}, "is of the endpoint ws"),
        ({"kind": "ws_stall", "count": 1}, "it has no count"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_a_sentence(content: object, why: str) -> None:
    with pytest.raises(InputError, match=why) as refused:
        parse_rules(content)
    assert str(refused.value).startswith("No fault rule: ")
    assert str(refused.value).endswith(".")


json_values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)


@given(st.dictionaries(st.sampled_from(sorted(FaultRule.model_fields)), json_values))
def test_any_json_is_a_rule_or_is_refused(content: dict[str, object]) -> None:
    with suppress(InputError):
        faults_of(content | {"kind": "reset"}).on_request(TICKERS, QUERY, NOW_MS)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ({"kind": "stale", "endpoint": "market/candles"}, "stale happens at market/tickers"),
        ({"kind": "clock_skew", "skew_ms": 1, "endpoint": "market"}, "happens at public/time"),
        ([{"id": "a", "kind": "html"}, {"id": "a", "kind": "reset"}], "a is the id of two"),
    ],
)
def test_a_rule_that_could_never_strike_is_refused(content: object, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        parse_rules(content)
