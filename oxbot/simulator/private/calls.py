"""Signed calls: who asks what, and OKX's envelope around what comes of each item."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiohttp import web

from oxbot.simulator.okx import API, OkxError
from oxbot.simulator.private.books import Books
from oxbot.simulator.private.deals import USUAL, Dealing
from oxbot.simulator.private.desk import Desk
from oxbot.simulator.private.rows import Row
from oxbot.simulator.private.signing import Signed, check_permission, signer_of
from oxbot.simulator.private.spec import Permission
from oxbot.simulator.private.wishes import Fields, ItemError, text

DEALING: web.RequestKey[Dealing] = web.RequestKey("oxbot_dealing", Dealing)
"""What a fault does to the orders of a request."""

ALL_FAILED, PARTLY = "1", "2"
"""OKX's codes of a request of which every item, or some of them, were refused."""


@dataclass(frozen=True, slots=True)
class Call:
    """A signed request.

    Attributes:
        books: Whose account.
        now_ms: The venue's time, ms UTC; everything up to it has happened.
        endpoint: The path under /api/v5/.
        query: The parameters of a GET.
        content: The body of a POST, all scalars text; None without one.
        dealing: What a fault does to its orders.
        expires_ms: Its expTime, if it has one.
    """

    books: Books
    now_ms: int
    endpoint: str
    query: Fields
    content: object
    dealing: Dealing
    expires_ms: int | None

    @property
    def items(self) -> list[Fields]:
        """The items of a POST.

        Raises:
            OkxError: 50002 for a body that is no list of objects, 50014 for an empty one.
        """
        items = self.content if isinstance(self.content, list) else [self.content]
        if not items:
            raise OkxError("50014", "Parameter body can not be empty.")
        fields: list[Fields] = [item for item in items if isinstance(item, dict)]
        if len(fields) < len(items):
            raise OkxError("50002", "Incorrect json data format.")
        return fields


Answer = Callable[[Call], web.Response]


def signed_route(
    desk: Desk, method: str, path: str, answer: Answer, permission: Permission
) -> web.RouteDef:
    """A path that answers signed requests of keys with a permission."""

    async def served(request: web.Request) -> web.Response:
        body = await request.read()
        now_ms = desk.settle()
        try:
            return answer(_opened(desk, request, body, permission, now_ms))
        finally:
            desk.ledger.commit()

    return web.route(method, f"{API}{path}", served)


def each(call: Call, desk: Desk, name: str, do: Callable[[Fields], Row]) -> web.Response:
    """Do each item of a request, and answer as OKX does.

    Args:
        call: The request.
        desk: Where refusals are written down.
        name: The field of the client's name for an item.
        do: Does one item; its refusal does not hinder the others.
    """
    rows: list[Row] = []
    refused = 0
    for fields in call.items:
        try:
            rows.append({**do(fields), "sCode": "0", "sMsg": ""})
        except ItemError as refusal:
            refused += 1
            desk.refuse(call.books, call.endpoint, refusal, text(fields, name), call.now_ms)
            rows.append(refused_row(fields, name, refusal, call.now_ms))
    return batch(rows, refused)


def batch(rows: Sequence[Row], refused: int) -> web.Response:
    """The answer to a request of several items, of which so many were refused."""
    code, message = "0", ""
    if refused:
        every = refused == len(rows)
        code = ALL_FAILED if every else PARTLY
        message = "All operations failed" if every else "Bulk operation partially succeeded."
    return web.json_response({"code": code, "msg": message, "data": rows})


def refused_row(fields: Fields, name: str, refusal: ItemError, now_ms: int) -> Row:
    """What is said of one item that was refused."""
    number = "algoId" if name == "algoClOrdId" else "ordId"
    return {
        name: text(fields, name),
        number: text(fields, number),
        "tag": text(fields, "tag"),
        "ts": str(now_ms),
        "sCode": refusal.code,
        "sMsg": str(refusal),
    }


def _opened(
    desk: Desk, request: web.Request, body: bytes, permission: Permission, now_ms: int
) -> Call:
    signed = Signed(request.headers, request.method, request.raw_path, body)
    books = signer_of(signed, desk.ledger.signers, now_ms)
    check_permission(books, permission)
    return Call(
        books=books,
        now_ms=now_ms,
        endpoint=request.path.removeprefix(API),
        query=dict(request.query),
        content=_content(body) if request.method == "POST" else None,
        dealing=request.get(DEALING, USUAL),
        expires_ms=_expires_ms(request.headers.get("expTime", "")),
    )


def _content(body: bytes) -> object:
    """A body as JSON, with numbers as they are written."""
    try:
        content: object = json.loads(body, parse_float=str, parse_int=str)
    except (ValueError, RecursionError) as error:
        raise OkxError("50002", "Incorrect json data format.") from error
    return content


def _expires_ms(value: str) -> int | None:
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= len("1735689600000") + 2):
        raise OkxError("51000", "Parameter expTime error.")
    return int(value)
