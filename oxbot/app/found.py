"""What a reconciliation finds, one order and coin after the other, whatever goes wrong with one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from oxbot.domain.errors import ExitUnfinished, InputError, LedgerBroken, NotSold, OutcomeUnknown
from oxbot.messages import OrderOutcome, Reconciliation

BROKEN: Final = "the books do not take what the exchange has traded"


@dataclass
class Found:
    """What a reconciliation has found so far, as `Reconciliation` has it.

    `unfit` says of what is stuck that it is the account or its key, as an event tells it.
    """

    booked: list[OrderOutcome] = field(default_factory=list)
    exits: list[OrderOutcome] = field(default_factory=list)
    proven: list[str] = field(default_factory=list)
    ghosts: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    unsold: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    unfit: list[str] = field(default_factory=list)

    @contextmanager
    def telling(self, what: str) -> Iterator[None]:
        """Keep what goes wrong with one thing from the others, and tell it by its name.

        Whoever does not answer at all is another matter: it ends the reconciliation.
        """
        try:
            yield
        except NotSold as error:
            self.unsold.append(f"{what}: {error}")
        except InputError as error:
            self.stuck.append(f"{what}: {error}")
        except (OutcomeUnknown, ExitUnfinished) as error:
            self.unknown.append(f"{what}: {error}")
        except LedgerBroken as error:
            self.broken.append(f"{what}: {BROKEN}: {error}")

    def tell_unfit(self, why: str | None) -> None:
        """Tell why nobody should trade in the account, if there is anything."""
        if why:
            self.stuck.append(why)
            self.unfit.append(why.rstrip("."))

    def message(self) -> Reconciliation:
        """Give what can travel."""
        return Reconciliation(
            booked=tuple(self.booked),
            exits=tuple(self.exits),
            proven=tuple(self.proven),
            ghosts=tuple(self.ghosts),
            unknown=tuple(self.unknown),
            unsold=tuple(self.unsold),
            stuck=(*self.unsold, *self.stuck),
            broken=tuple(self.broken),
        )
