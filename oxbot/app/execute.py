"""Execute one intended order, and see that what is held then is protected."""

from oxbot.app.orders import bring_to_end, mode_of, outcome_of
from oxbot.app.ports import Ports
from oxbot.app.protected import About, keep_protected
from oxbot.domain.bot import Mode
from oxbot.domain.errors import NotShown, OutcomePending, OutcomeUnknown
from oxbot.domain.orders import Order
from oxbot.messages import ExecuteOrder, OrderOutcome


async def execute_order(ports: Ports, request: ExecuteOrder) -> OrderOutcome:
    """Bring an order to its end; called again it goes on where it was left.

    A live order is not done before the stop of what is held then is seen at the exchange: an
    entry brings a position, and an exit may leave a part of it, or all if it is refused.

    Raises:
        VenueUnavailable: Not sent; the order is intended again.
        OutcomePending: It may have been sent; the next call looks it up.
        OutcomeUnknown: The same where time stands still, so that calling again is in vain.
        NotShown: The exchange does not show it and should by now: other orders must not wait for
            it any longer, and the bot's reconciliation looks again.
        ExitUnfinished: Its coin's stop has to be over first, and is not yet.
        NotSold: It is at its end, and what is held now can neither have a stop nor be sold; other
            orders must not wait for it either.
    """
    order = await ports.store.order(request.order_id)
    try:
        order = await bring_to_end(ports, order)
        if order.state.is_final and await mode_of(ports, order.bot_id) is Mode.LIVE:
            await keep_protected(ports, _about(order), order.symbol)
    except NotShown:
        raise
    except OutcomeUnknown as error:
        if (await ports.clock.reading()).stepped:
            raise
        raise OutcomePending(str(error)) from error
    return await outcome_of(ports, order)


def _about(order: Order) -> About:
    return About(order.bot_id, order.incarnation, order.cycle, order.epoch)
