"""The tree of errors.

OxbotError
├── InputError              the caller's data is wrong; nothing was done             422
│   └── NotFound            what was named does not exist                            404
├── Unauthorised            nobody is signed in, or no longer                        401
├── Forbidden               whoever is signed in may not                             403
├── TooManyAttempts         again later (`retry_after_s`)                            429
├── Conflict                the request does not fit the present state               409
├── SetupError              something on this machine is missing or in the way       500
├── Unavailable             somebody else does not answer now; try again             503
│   ├── VenueUnavailable        the exchange                                         503
│   │   ├── RateLimited         the exchange asks to wait (`retry_after_s`)          503
│   │   └── Unusable            the exchange answers, but not with what can be used  503
│   ├── CircuitOpen             it failed again and again, and is not asked now      503
│   │   └── BeingProbed             one call is finding out whether it is back           503
│   ├── ModelUnavailable        the language model's provider                        503
│   │   └── ModelRateLimited        it asks to wait (`retry_after_s`)                    503
│   ├── ExitUnfinished          an exit that has to go on until it is done           503
│   │   └── NotSold                 the exchange refuses it; it is tried again           503
│   ├── StoreUnavailable        PostgreSQL or Redis                                  503
│   └── Unanswered              it was told, and may still do it                     503
├── StoreRefused            PostgreSQL understood a statement and said no            500
├── VenueRefused            the exchange understood and said no                      502
├── OutcomeUnknown          the exchange may or may not have done it                 502
│   ├── OutcomePending      the same, and time will tell                             502
│   └── NotShown            the exchange shows nothing by this id                    502
├── ModelRefused            the model's provider understood and said no (`cause`)    502
├── ContentRefused          the provider will not have this prompt, or its answer    502
├── BadReply                a model's reply that is not a valid decision             502
└── LedgerBroken            the books do not balance; trading on would hide it       500

Each class says whether trying the same again can help (`retryable`), and which HTTP
status a caller sees (`http_status`). Temporal does the retrying.
"""

from decimal import Decimal
from enum import StrEnum
from typing import ClassVar


class OxbotError(Exception):
    """Root of the project's errors: what happened, what it means, what to do."""

    retryable: ClassVar[bool] = False
    http_status: ClassVar[int] = 500


class InputError(OxbotError):
    """The caller's data is wrong; nothing was done."""

    http_status = 422


class NotFound(InputError):  # noqa: N818 - read as a sentence: raise NotFound(...)
    """What was named does not exist."""

    http_status = 404


class Unauthorised(OxbotError):  # noqa: N818 - as NotFound
    """Nobody is signed in, or no longer."""

    http_status = 401


class Forbidden(OxbotError):  # noqa: N818 - as NotFound
    """Whoever is signed in may not do this."""

    http_status = 403


class TooManyAttempts(OxbotError):  # noqa: N818 - as NotFound
    """So many attempts in so short a time are refused.

    Args:
        message: What happened.
        retry_after_s: Seconds to wait before the next one.
    """

    http_status = 429
    retry_after_s: int

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Conflict(OxbotError):  # noqa: N818 - as NotFound
    """The request does not fit the present state."""

    http_status = 409


class SetupError(OxbotError):
    """Something on this machine is missing or in the way of a start."""


class Unavailable(OxbotError):  # noqa: N818 - as NotFound
    """Somebody else does not answer now; the same may succeed later.

    `retry_after_s` is how long they ask to be left alone, in seconds; None: nothing was said.
    """

    retryable = True
    http_status = 503
    retry_after_s: int | None = None


class VenueUnavailable(Unavailable):
    """The exchange does not answer, or answers with nothing usable."""


class RateLimited(VenueUnavailable):
    """The exchange asks to wait.

    Args:
        message: What happened.
        retry_after_s: Seconds to wait before the next try.
    """

    retry_after_s: int

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unusable(VenueUnavailable):
    """The exchange answers, but this answer cannot be used: no outage, and no price either."""


class CircuitOpen(Unavailable):
    """Somebody failed again and again and is not asked for a while: final for this cycle."""

    retryable = False


class BeingProbed(CircuitOpen):
    """One call of all is finding out whether somebody is back: the next try will know."""

    retryable = True


class ModelUnavailable(Unavailable):
    """The model's provider does not answer."""


class ModelRateLimited(ModelUnavailable):
    """The model's provider asks to wait.

    Args:
        message: What happened.
        retry_after_s: Seconds to wait before the next try.
    """

    retry_after_s: int

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ExitUnfinished(Unavailable):
    """An exit is under way and not at its end: it goes on until it is."""


class NotSold(ExitUnfinished):
    """The exchange refuses to sell what can have no stop: nothing is under way, and it is held.

    Asking again at once is in vain, and other coins' orders must not wait for it: the bot's
    reconciliation tries again.
    """

    retryable = False


class StoreUnavailable(Unavailable):
    """PostgreSQL or Redis does not answer."""


class Unanswered(Unavailable):
    """Somebody was told, and did not answer in time: what was asked for may still happen."""


class StoreRefused(OxbotError):  # noqa: N818 - as NotFound
    """PostgreSQL understood a statement and said no, which is a fault of ours.

    It is tried again all the same: a step that gave up could end its bot, where a newer version
    may mend it.
    """

    retryable = True


class VenueRefused(OxbotError):  # noqa: N818 - as NotFound
    """The exchange understood the request and said no."""

    http_status = 502


class OutcomeUnknown(OxbotError):  # noqa: N818 - as NotFound
    """The exchange may or may not have done what was asked: look it up, never guess."""

    http_status = 502


class NotShown(OutcomeUnknown):
    """The exchange answers, and shows nothing by this id; nobody can say here what became of it."""


class RefusalCause(StrEnum):
    """What a model's provider refuses for."""

    KEY = "key"
    ACCOUNT = "account"
    MODEL = "model"
    REQUEST = "request"


class ModelRefused(OxbotError):  # noqa: N818 - as NotFound
    """The model's provider understood the request and said no; a person has to act.

    Args:
        message: What happened, what it means, what to do.
        cause: What it refuses for.
    """

    http_status = 502

    def __init__(self, message: str, cause: RefusalCause) -> None:
        super().__init__(message)
        self.cause = cause


class ContentRefused(OxbotError):  # noqa: N818 - as NotFound
    """The model's provider will not have this prompt, or its answer to it.

    Args:
        message: What happened, what it means, what to do.
        tokens: Of the question and of the answer that was held back: they are billed.
        cost_usd: What they cost.
        priced: Whether that is known.
    """

    http_status = 502

    def __init__(
        self,
        message: str,
        tokens: tuple[int, int] = (0, 0),
        cost_usd: Decimal = Decimal(0),
        *,
        priced: bool = True,
    ) -> None:
        super().__init__(message)
        self.tokens = tokens
        self.cost_usd = cost_usd
        self.priced = priced


class OutcomePending(OutcomeUnknown):
    """As `OutcomeUnknown`, where time passes by itself: looking again soon will tell."""

    retryable = True


class BadReply(OxbotError):  # noqa: N818 - as NotFound
    """A model's reply is not a valid decision."""

    http_status = 502


class LedgerBroken(OxbotError):  # noqa: N818 - as NotFound
    """The books do not balance; trading on would hide it."""
