"""What `oxbot doctor` says of live trading: whether it is on, and whether the account is fit."""

from typing import Final

from oxbot.bootstrap.exchange import free_usdt, venue_of
from oxbot.domain.errors import OxbotError, Unavailable
from oxbot.domain.money import plain
from oxbot.embedded.doctor import Finding
from oxbot.settings import Settings

NAME: Final = "live trading"
OFF: Final = "off: bots trade on paper"


async def live_trading(settings: Settings) -> Finding:
    """Look at live trading; the exchange is asked only where a whole key is set."""
    accepted = settings.model_copy(update={"live": "accepted"})
    if settings.live is None and settings.okx_api_key is None:
        return _finding(f"{OFF} (docs/live.md says how to go live)")
    if accepted.live_problem:
        return _finding(accepted.live_problem, ok=False)
    try:
        free = await free_usdt(accepted)
    except Unavailable as error:
        return _finding(f"the account cannot be looked at now. {error}", ok=False)
    except OxbotError as error:
        return _finding(str(error), ok=False)
    fit = f"the key is fit for {venue_of(settings)}, {plain(free)} USDT are free"
    if settings.live is None:
        return _finding(f"{OFF}, since OXBOT_LIVE is not set; {fit}")
    return _finding(f"on: {fit}")


def _finding(detail: str, *, ok: bool = True) -> Finding:
    """Only information: everything starts without."""
    return Finding(NAME, ok=ok, detail=detail, needed=False)
