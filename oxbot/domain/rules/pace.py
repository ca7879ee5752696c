"""Rules on how often: a pause after each exit, and so many entries a day."""

from oxbot.domain.decision import Proposal
from oxbot.domain.risk import SECOND_MS, Context
from oxbot.domain.rules.base import ProposalRule, Refusal


class Cooldown(ProposalRule):
    """A pause in each coin after it was left."""

    name = "cooldown"
    limits = ("cooldown_s",)
    formula = "now - last exit of the coin < `cooldown_s`, in venue time"
    figures = ("since_exit_s", "limit_s")

    def check(self, proposal: Proposal, context: Context) -> Refusal | None:
        """Refuse a coin that was left a moment ago."""
        left_ms = context.last_exit_ms.get(proposal.symbol)
        if left_ms is None:
            return None
        since_s, limit_s = (context.now_ms - left_ms) // SECOND_MS, context.limits.cooldown_s
        if since_s >= limit_s:
            return None
        figures = {"since_exit_s": str(since_s), "limit_s": str(limit_s)}
        return Refusal("the coin was exited too recently", figures)


class EntriesADay(ProposalRule):
    """So many entries in a UTC day."""

    name = "entries a day"
    limits = ("entries_a_day",)
    formula = "entries filled since UTC midnight + entries of this decision >= `entries_a_day`"
    figures = ("entries_today", "limit")

    def check(self, proposal: Proposal, context: Context) -> Refusal | None:  # noqa: ARG002 - the rule's signature
        """Refuse once the day's entries are used up."""
        limit = context.limits.entries_a_day
        if context.entries_today < limit:
            return None
        figures = {"entries_today": str(context.entries_today), "limit": str(limit)}
        return Refusal("the day's entries are used up", figures)
