"""Execute one intended order, and see that what an entry brought is protected."""

from oxbot.app.orders import bring_to_end, outcome_of
from oxbot.app.ports import Ports
from oxbot.app.protected import About, keep_protected
from oxbot.domain.errors import OutcomePending, OutcomeUnknown
from oxbot.domain.orders import Order, OrderState
from oxbot.messages import ExecuteOrder, OrderOutcome


async def execute_order(ports: Ports, request: ExecuteOrder) -> OrderOutcome:
    """Bring an order to its end; called again it goes on where it was left.

    A live entry is not done before its stop is seen at the exchange.

    Raises:
        VenueUnavailable: Not sent; the order is intended again.
        OutcomePending: It may have been sent; the next call looks it up.
        OutcomeUnknown: The same where time stands still, so that calling again is in vain.
        ExitUnfinished: Its coin's stop has to be over first, and is not yet.
    """
    order = await ports.store.order(request.order_id)
    try:
        order = await bring_to_end(ports, order)
        if order.state is OrderState.FILLED and not order.purpose.is_exit:
            await keep_protected(ports, _about(order), order.symbol)
    except OutcomeUnknown as error:
        if (await ports.clock.reading()).stepped:
            raise
        raise OutcomePending(str(error)) from error
    return await outcome_of(ports, order)


def _about(order: Order) -> About:
    return About(order.bot_id, order.incarnation, order.cycle, order.epoch)
