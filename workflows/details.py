"""A bot's page in Temporal's Web UI: what it does and why, in markdown."""

from datetime import UTC, datetime

from oxbot.domain.money import plain
from oxbot.messages import CycleOutcome, PositionBrief
from workflows.state import BotState


def when(ms: int | None) -> str:
    """Write a venue time as UTC for people."""
    if ms is None:
        return "not scheduled"
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def details(state: BotState) -> str:
    """Tell the bot's story: status, next tick, last error, decision, verdicts, orders, positions.

    The table comes last: the Web UI's panel is short, and scrolls.
    """
    spec = state.spec
    name = f"{spec.name} ({spec.mode}, {spec.provider})" if spec else state.bot_id
    return "\n\n".join(
        part
        for part in (
            f"## {name}",
            _status(state),
            _bullets("Being closed", tuple(f"{p.symbol}: {p.purpose}" for p in state.protections)),
            _section("Last protection", state.last_protection),
            _section("Last error", state.last_error),
            _section("Nothing is entered", state.account_differs),
            _section("Last decision", state.last_decision),
            _bullets("Verdicts", state.last_verdicts),
            _refusals(state),
            _outcome(state.last_outcome),
            _positions(state.positions),
        )
        if part
    )


def _status(state: BotState) -> str:
    equity = f"{state.equity:.2f} USDT" if state.equity is not None else "not known yet"
    if state.unpriced:
        equity += f" (no price of {', '.join(state.unpriced)}: positions at cost, dust at nothing)"
    by = f" by {state.control_by}" if state.control_by else ""
    reason = f": {state.control_reason}" if state.control_reason else ""
    tick = "waits for its driver" if state.stepped else when(state.due_ms)
    return (
        f"**Status** {state.status}{by}{reason}  \n**Equity** {equity}  \n"
        f"**Next tick** {tick}  \n**Cycle** {state.next_cycle - 1} "
        f"(incarnation {state.incarnation}, epoch {state.epoch})"
    )


def _refusals(state: BotState) -> str:
    """Tell what was refused last, unless the verdicts above say it already."""
    if set(state.last_refusals) <= set(state.last_verdicts):
        return ""
    return _bullets(f"Last refusals, in cycle {state.refused_in}", state.last_refusals)


def _positions(positions: tuple[PositionBrief, ...]) -> str:
    if not positions:
        return "No open positions."
    rows = [
        f"| {p.symbol} | {plain(p.quantity)} | {plain(p.average_price)} "
        f"| {plain(p.stop_price)} | {plain(p.target_price)} | {_gain(p)} |"
        for p in positions
    ]
    head = (
        "| coin | quantity | entry | stop | target | PnL |\n| --- | --- | --- | --- | --- | --- |"
    )
    return "\n".join([head, *rows])


def _gain(position: PositionBrief) -> str:
    """Write the PnL with the age of the price that it rests on."""
    if position.age_ms is None:
        return "no price, at cost"
    return f"{position.unrealised:+.2f} ({position.age_ms / 1000:.0f} s old)"


def _outcome(outcome: CycleOutcome | None) -> str:
    if outcome is None:
        return ""
    if outcome.skipped:
        return f"**Cycle {outcome.cycle} was cut short**: {outcome.skipped}"
    orders = [
        f"{o.purpose} {o.symbol}: {o.state}" + (f" at {plain(o.price)}" if o.price else "")
        for o in outcome.orders
    ]
    return _bullets(f"Orders of cycle {outcome.cycle}", tuple(orders))


def _section(title: str, text: str) -> str:
    return f"**{title}**: {text}" if text else ""


def _bullets(title: str, lines: tuple[str, ...]) -> str:
    if not lines:
        return ""
    return "\n".join([f"**{title}**", "", *(f"- {line}" for line in lines)])
