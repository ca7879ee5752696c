"""Limits and audits as people are shown them."""

import io
from decimal import Decimal

import pytest
from rich.console import Console

from oxbot.app.audit import BotAudit, audit_ledger
from oxbot.cli import audit_run, bot_limits
from oxbot.domain.bot import BotSettings, BotStatus, RiskLimits
from oxbot.domain.errors import LedgerBroken
from oxbot.domain.limits import limits_after
from oxbot.domain.money import Notional
from oxbot.domain.rules import ALL_RULES
from oxbot.messages import LimitsAnswer
from oxbot.records import AuditFigures, Difference
from tests.support.fake_store import FakeStore


def written(write: object) -> str:
    """What a page writes to a terminal of 80 columns."""
    assert callable(write)
    stream = io.StringIO()
    write(Console(file=stream, width=80, highlight=False, markup=False))
    return stream.getvalue()


async def test_every_limit_is_shown_with_its_default_and_every_rule_with_its_formula() -> None:
    limits = limits_after(RiskLimits(), {"stop": "2%", "trailing": "1%"})
    bot = await FakeStore().create_bot("b1", BotSettings(name="x", limits=limits), 1)
    page = written(lambda console: bot_limits.write(console, bot))
    rows = [line.split()[:3] for line in page.splitlines()]
    assert ["stop", "2%", "3.5%"] in rows
    assert ["trailing", "1%", "off"] in rows
    assert set(RiskLimits.model_fields) <= {row[0] for row in rows if row}
    assert {rule.name.split()[0] for rule in ALL_RULES} <= {row[0] for row in rows if row}
    assert max(map(len, page.splitlines())) <= 80


def test_a_change_is_told_as_it_could_be_given_again() -> None:
    limits = limits_after(RiskLimits(), {"stop": "2%", "trailing": "off"})
    answer = LimitsAnswer(epoch=3, limits=limits, changed=("stop",))
    assert bot_limits.told("b1", answer) == "Bot b1, epoch 3: stop 2%."
    late = answer.model_copy(update={"changed": (), "recorded": False})
    assert bot_limits.told("b1", late).startswith("Bot b1: the limits are as they were.")
    assert "PostgreSQL does not have it yet" in bot_limits.told("b1", late)


def audited(**figures: object) -> BotAudit:
    plain = {
        "fills": 3,
        "cash_stored": Notional(10),
        "cash_recomputed": Notional(10),
        "drift": "0",
        "unbalanced": 0,
    }
    found = AuditFigures.model_validate(plain | figures)
    return BotAudit(bot_id="b1", name="x", status=BotStatus.RUNNING, figures=found)


@pytest.mark.parametrize(
    ("audit", "sound"),
    [
        (audited(), True),
        (audited(drift="0.000000000001"), False),
        (audited(unbalanced=1), False),
        (audited().model_copy(update={"figures": None, "broken": "more sold than held"}), False),
    ],
)
def test_books_are_sound_only_without_any_drift(audit: BotAudit, *, sound: bool) -> None:
    assert audit_run.document([audit])["sound"] is sound
    page = written(lambda console: audit_run.write(console, [audit]))
    assert ("1 of 1 agree" in page) is sound
    assert ("more sold than held" in page) is (audit.broken is not None)


def test_each_figure_that_differs_is_named() -> None:
    cash = Difference(of="cash", stored=Decimal("1.500"), from_fills=Decimal(1))
    figures = audited(drift="0.5").figures
    assert figures is not None
    found = figures.model_copy(update={"differences": (cash,), "differing": 3})
    page = written(
        lambda console: audit_run.write(console, [audited().model_copy(update={"figures": found})])
    )
    assert "b1: cash: 1.5 stored, 1 by the fills" in page
    assert "b1: and 2 more figures differ" in page


async def test_all_books_are_audited_also_those_that_cannot_be_made_again() -> None:
    class Broken(FakeStore):
        async def audit(self, bot_id: str) -> AuditFigures:
            if bot_id == "b2":
                raise LedgerBroken("Fill 7 sells more than is held.")
            return await super().audit(bot_id)

    store = Broken()
    for bot_id in ("b1", "b2"):
        await store.create_bot(bot_id, BotSettings(name="x"), 1)
    one, two = await audit_ledger(store)
    assert (one.is_sound, two.is_sound, two.broken) == (
        True,
        False,
        "Fill 7 sells more than is held.",
    )
    assert [audit.bot_id for audit in await audit_ledger(store, "b1")] == ["b1"]
