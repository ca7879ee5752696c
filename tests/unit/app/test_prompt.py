"""The prompt: a model is told what became of its last decision, and by which figures."""

from decimal import Decimal

import pytest

from oxbot.app.prompt import build_request
from oxbot.domain.bot import BotSettings, RiskLimits
from oxbot.domain.limits import FLAGS, spoken
from oxbot.domain.money import Notional, Price, Quantity
from oxbot.domain.orders import Purpose
from oxbot.domain.portfolio import Portfolio
from oxbot.domain.risk import Ruling, Verdict
from oxbot.records import Lately, MarketBrief, ModelReply, ModelRequest, TradeRow
from tests.support.fakes import BTC, ETH, FakeModel
from tests.unit.app.room import BOT, Room

pytestmark = pytest.mark.critical


PARTS = ("max_position", "max_account_exposure", "stop", "trailing", "confidence", "drawdown")
WHOLE = (
    *("shortest_hold_s", "cooldown_s", "price_age_s", "move_bp", "spread_bp", "slippage_bp"),
    *("entries_a_day", "minimum_notional"),
)


class Listening(FakeModel):
    """Remembers what it was told last."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    async def complete(self, request: ModelRequest) -> ModelReply:
        self.told = dict(request.messages)["user"].splitlines()
        return await super().complete(request)

    @property
    def lately(self) -> list[str]:
        """The part on what happened since the last decision."""
        heads = [line.startswith("Since the last decision") for line in self.told]
        if True not in heads:
            return []
        rest = self.told[heads.index(True) :]
        inside = [line.startswith("  ") for line in rest[1:]]
        return rest[: inside.index(False) + 1] if False in inside else rest


@pytest.fixture
def model(room: Room) -> Listening:
    room.model = model = Listening()
    return model


async def test_before_its_first_decision_a_model_is_told_of_none(
    room: Room, model: Listening
) -> None:
    await room.bot()
    await room.judge()
    assert model.lately == []


async def test_a_refusal_is_told_with_its_figures(room: Room, model: Listening) -> None:
    await room.bot(limits={"confidence": "0.95"})
    model.will_buy(BTC)
    await room.judge(1)
    await room.judge(2)
    head, refused = model.lately
    assert head == "Since the last decision (cycle 1):"
    assert refused.startswith(
        "  BTC/USDT entry refused by confidence: the model is not sure enough"
    )
    assert refused.endswith("(confidence 0.9, limit 0.95).")


async def test_where_nothing_happened_that_is_told(room: Room, model: Listening) -> None:
    await room.bot()
    await room.judge(1)
    await room.judge(2)
    assert model.lately == [
        "Since the last decision (cycle 1):",
        "  nothing was proposed and nothing closed.",
    ]


async def test_an_exit_is_told_with_its_cause_and_its_result(room: Room, model: Listening) -> None:
    """Cycle 2 is one without a model, as a pause has them; what it did is told as well."""
    await room.bot()
    await room.buy(BTC)
    room.reprice(BTC, Price(57_000))
    await room.observe(2)
    for order in (await room.validate(2, entries=False)).orders:
        await room.execute(order.id)
    await room.judge(3)
    head, bought, stopped, closed = model.lately
    assert head == "Since the last decision (cycle 1):"
    assert "BTC/USDT entry approved by all rules" in bought
    assert "BTC/USDT stop demanded by stop: the bid is at or below the stop (bid 57000" in stopped
    assert closed == "  BTC/USDT closed by stop: -77.46 net."


async def test_an_entry_that_came_to_nothing_is_told_with_its_reason(
    room: Room, model: Listening
) -> None:
    await room.bot()
    model.will_buy(BTC, ETH)
    first, second = (await room.judge(1)).orders
    await room.execute(first.id)
    room.now_ms += 3_600_000
    await room.execute(second.id)
    await room.judge(2)
    _, bought, missed = model.lately
    assert bought == "  BTC/USDT entry approved by all rules: as proposed."
    assert missed == (
        "  ETH/USDT entry approved by all rules: not filled: paused, stopped, changed or expired "
        "before it was sent."
    )


async def test_what_is_said_again_and_again_is_told_once_and_never_too_much(
    room: Room, model: Listening
) -> None:
    await room.bot()
    await room.buy(BTC, ETH)
    for cycle in range(2, 8):
        room.now_ms += 16_000
        await room.observe(cycle)
        room.feed.away = True
        room.now_ms += 16_000
        await room.validate(cycle, entries=False)
        room.feed.away = False
    await room.judge(9)
    noted = [line for line in model.lately if "noted by price age" in line]
    assert len(noted) == 2


def test_every_refusal_of_a_long_decision_is_told_whatever_was_closed_since() -> None:
    coins = [f"C{number}/USDT" for number in range(20)]
    refused = [
        Verdict(
            symbol=coin,
            purpose=Purpose.ENTRY,
            ruling=Ruling.REFUSED,
            rule="confidence",
            reason="the model is not sure enough",
            figures={"confidence": "0.9", "limit": "0.95"},
        )
        for coin in coins
    ]
    trade = TradeRow(
        symbol=BTC,
        quantity=Quantity(1),
        entry_price=Price(1),
        exit_price=Price(2),
        fees=Notional(0),
        net_pnl=Notional(1),
        opened_ms=1,
        closed_ms=2,
        exit="target",
    )
    brief = MarketBrief(
        now_ms=3,
        symbols=(),
        features={},
        quotes={},
        portfolio=Portfolio(cash=Notional(1)),
        limits=RiskLimits(),
        lately=Lately(cycle=1, verdicts=tuple(refused), trades=(trade,) * 22),
    )
    told = [line for line in build_request(brief).messages[1][1].splitlines() if line[0] == " "]
    assert [line.split()[0] for line in told[:20]] == coins
    assert told[20] == "  17 trades closed before these."
    assert len(told[21:]) == 5


async def test_the_limits_that_the_code_enforces_are_told(room: Room, model: Listening) -> None:
    named = {name: str(number) for number, name in enumerate(WHOLE, start=701)}
    shares = {name: f"0.0{number}" for number, name in enumerate(PARTS, start=21)}
    more = {"daily_loss": "0.02", "reward_risk": "1.7", "target": "0.9", "max_exposure": "0.77"}
    await room.bot(limits={**named, **shares, **more, "longest_hold_s": 9_000})
    await room.judge()
    assert BotSettings(name="x").limits.daily_loss == Decimal("0.03")
    (told,) = (line for line in model.told if line.startswith("Limits: "))
    limits = (await room.store.bot(BOT)).settings.limits
    values = [
        spoken(getattr(limits, name)) for name in RiskLimits.model_fields if name not in FLAGS
    ]
    assert [value for value in values if f" {value}" not in told] == []
    assert told.endswith("and then nothing is sold.")
    assert "reward over risk at least 1.7" in told
    assert "once the day lost 0.02" in told
    assert (await room.store.bot(BOT)).settings.limits.daily_loss == Decimal("0.02")


async def test_a_position_keeps_its_reason_in_every_later_prompt_and_the_trade_after_it(
    room: Room, model: Listening
) -> None:
    await room.bot()
    await room.buy(BTC)
    await room.judge(2)
    (position,) = (line for line in model.told if line.startswith("Position BTC/USDT: "))
    assert position.endswith('; entered for "the test wants it"; wrong if "it falls".')
    room.now_ms += 700_000
    model.will_close(BTC)
    for order in (await room.judge(3)).orders:
        await room.execute(order.id)
    await room.judge(4)
    assert [line for line in model.told if line.startswith("Position")] == []
    (trade,) = (line for line in model.told if line.startswith("  Trade BTC/USDT: "))
    assert trade.endswith(
        'left by decision for "the test wants it", entered for "the test wants it".'
    )
    assert any(line.startswith("Your last 1 trades: net PnL -") for line in model.told)
    assert any(line.endswith("USD for 3 decisions.") for line in model.told)
