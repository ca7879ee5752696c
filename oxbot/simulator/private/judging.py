"""Whether an order can be: its instrument's steps, its triggers, and the account's balance."""

from decimal import Decimal

from oxbot.simulator.book import Level
from oxbot.simulator.instruments import SPOT, Instrument
from oxbot.simulator.private.books import USDT, ZERO, Books
from oxbot.simulator.private.matching import size_of, value_of
from oxbot.simulator.private.terms import (
    Protection,
    Side,
    Target,
)
from oxbot.simulator.private.wishes import AlgoWish, ItemError, OrderWish, bad
from oxbot.simulator.venue import Venue


def spot_pair(venue: Venue, inst_id: str) -> Instrument:
    """The pair that is meant.

    Raises:
        ItemError: 51001 for one that is not listed, 51010 for a swap.
    """
    listed = venue.traded(inst_id)
    if listed is None:
        raise ItemError("51001", "Instrument ID does not exist.")
    if listed.kind != SPOT:
        raise ItemError("51010", "Request unsupported under current account mode")
    return listed


def check_name(books: Books, cl_ord_id: str) -> None:
    """A client's name is free while no order that has it lives.

    Raises:
        ItemError: 51016.
    """
    known = books.order(cl_ord_id=cl_ord_id) if cl_ord_id else None
    if known is not None and known.live:
        raise ItemError("51016", "Client order ID already exists.")


def check_algo_name(books: Books, cl_ord_id: str) -> None:
    """The same of an algo order, and of what is attached to an order that lives.

    Raises:
        ItemError: 51016.
    """
    if not cl_ord_id:
        return
    known = books.algo(cl_ord_id=cl_ord_id)
    attached = [order.taken.protection for order in books.live_orders]
    waiting = any(one is not None and one.cl_ord_id == cl_ord_id for one in attached)
    if waiting or (known is not None and known.live):
        raise ItemError("51016", "Client order ID already exists.")


def check_steps(listed: Instrument, wish: OrderWish) -> None:
    """Price and size are whole ticks and lots, and not too small.

    Raises:
        ItemError: 51000, 51121 or 51020.
    """
    if wish.px is not None and wish.px % listed.tick:
        raise bad("px")
    if wish.tgt_ccy is Target.BASE:
        check_size(listed, wish.sz)
    for way in (wish.protection.stop, wish.protection.target) if wish.protection else ():
        if way is not None and way.trigger % listed.tick:
            raise bad("attachAlgoOrds")


def check_size(listed: Instrument, sz: Decimal) -> None:
    """A size in coins is whole lots, and not too small.

    Raises:
        ItemError: 51121 or 51020.
    """
    if sz % listed.lot:
        raise ItemError("51121", "Order quantity must be a multiple of the lot size.")
    if sz < listed.minimum:
        raise ItemError("51020", "Your order should meet or exceed the minimum order amount.")


def check_funds(books: Books, listed: Instrument, wish: OrderWish, takes: list[Level]) -> None:
    """The account can pay: with a limit for the whole size at it, else for what is taken.

    Args:
        books: The account.
        listed: The pair.
        wish: The order.
        takes: What it takes at once.

    Raises:
        ItemError: 51008, or 51020 where so few USDT buy less than the minimum.
    """
    currency, needed = listed.coin, wish.sz
    if wish.tgt_ccy is Target.QUOTE:
        currency, needed = USDT, wish.sz
        if size_of(takes) < listed.minimum:
            raise ItemError("51020", "Your order should meet or exceed the minimum order amount.")
    elif wish.side is Side.BUY:
        currency, needed = USDT, value_of(takes) if wish.px is None else wish.sz * wish.px
    if needed > books.available(currency):
        raise ItemError("51008", f"Order failed. Insufficient {currency} balance in account.")


def check_attached(wish: OrderWish, last: Decimal) -> None:
    """What is attached lies on the right sides of the order's price, or of the last one.

    Raises:
        ItemError: 51050 to 51053.
    """
    if wish.protection is None:
        return
    price, way = wish.px or last, 1 if wish.side is Side.BUY else -1
    stop, target = wish.protection.stop, wish.protection.target
    word = {1: ("higher", "lower"), -1: ("lower", "higher")}[way]
    if target is not None and way * (target.trigger - price) <= 0:
        code = "51050" if way == 1 else "51052"
        raise ItemError(code, f"Your TP price should be {word[0]} than the primary order price.")
    if stop is not None and way * (price - stop.trigger) <= 0:
        code = "51051" if way == 1 else "51053"
        raise ItemError(code, f"Your SL price should be {word[1]} than the primary order price.")


def check_triggers(side: Side, protection: Protection, last: Decimal) -> None:
    """The triggers of an algo order have not been reached already.

    Raises:
        ItemError: 51277 to 51280.
    """
    stop, target = protection.stop, protection.target
    sells = side is Side.SELL
    if target is not None and (target.trigger <= last if sells else target.trigger >= last):
        code, word = ("51279", "lower") if sells else ("51277", "higher")
        raise ItemError(code, f"TP trigger price can not be {word} than the last price")
    if stop is not None and (stop.trigger >= last if sells else stop.trigger <= last):
        code, word = ("51280", "higher") if sells else ("51278", "lower")
        raise ItemError(code, f"SL trigger price can not be {word} than the last price")


def check_algo(listed: Instrument, wish: AlgoWish) -> None:
    """An algo order's size and prices are whole lots and ticks.

    Raises:
        ItemError: 51000, 51121 or 51020.
    """
    if wish.tgt_ccy is Target.BASE:
        check_size(listed, wish.sz)
    for way in (wish.protection.stop, wish.protection.target):
        if way is not None and (way.trigger % listed.tick or (way.price or ZERO) % listed.tick):
            raise bad("triggerPx")
