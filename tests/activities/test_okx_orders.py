"""What a failed order means, through the real ccxt: refused only where OKX said no."""

from collections.abc import AsyncIterator

import ccxt.async_support as ccxt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oxbot.adapters.okx.order_errors import order_failure, order_id_of
from oxbot.adapters.okx.place import Place, open_rest
from oxbot.domain.errors import (
    OutcomeUnknown,
    OxbotError,
    RateLimited,
    VenueRefused,
    VenueUnavailable,
)
from tests.activities.okx_server import (
    Handler,
    LocalOkx,
    broken_off,
    envelope,
    hung_up,
    local_okx,
    silence,
    text,
)

pytestmark = pytest.mark.critical

PAGE = "<html><body>Back soon</body></html>"
ORDER = {"instId": "BTC-USDT", "tdMode": "cash", "side": "buy", "ordType": "ioc", "sz": "0.01"}


@pytest.fixture
async def okx() -> AsyncIterator[LocalOkx]:
    async with local_okx() as server:
        yield server


def row(code: str, said: str = "?", envelope_code: str = "1") -> Handler:
    refused = {"clOrdId": "a1", "ordId": "", "sCode": code, "sMsg": said, "tag": ""}
    return envelope([refused], envelope_code, "")


async def placed(okx: LocalOkx, answer: Handler) -> str:
    """Place an order as the trading side will: raw, so that no answer is made up."""
    okx.answers["trade/batch-orders"] = answer
    timeout_ms = 300 if answer is silence else 5_000
    exchange = open_rest(Place(rest_url=okx.url, timeout_ms=timeout_ms, throttled=False))
    exchange.apiKey, exchange.secret, exchange.password = "key", "secret", "phrase"
    try:
        return order_id_of(await exchange.private_post_trade_batch_orders([ORDER]))
    except ccxt.BaseError as error:
        raise order_failure(error) from error
    finally:
        await exchange.close()


FAULTS: dict[str, tuple[Handler, type[OxbotError]]] = {
    "no answer": (silence, OutcomeUnknown),
    "a connection closed": (hung_up, OutcomeUnknown),
    "a body broken off": (broken_off, OutcomeUnknown),
    "a page under 200": (text(PAGE), OutcomeUnknown),
    "an empty body": (text(""), OutcomeUnknown),
    "JSON cut short": (text('{"code":"0","data":[{"ordId":"1'), OutcomeUnknown),
    "no data": (envelope([]), OutcomeUnknown),
    "a row of nulls": (envelope([{"ordId": None, "sCode": None}]), OutcomeUnknown),
    "no id": (envelope([{"ordId": "", "sCode": "0"}]), OutcomeUnknown),
    "two rows for one order": (envelope([{"ordId": "1"}, {"ordId": "2"}]), OutcomeUnknown),
    "502 with a page": (text(PAGE, 502), OutcomeUnknown),
    "401 of a proxy": (text("login", 401), OutcomeUnknown),
    "429 without JSON": (text("slow down", 429), OutcomeUnknown),
    "50001 maintenance": (envelope([], "50001", "Upgrading"), OutcomeUnknown),
    "50004 time-out at OKX": (envelope([], "50004", "Timeout"), OutcomeUnknown),
    "50013 busy": (envelope([], "50013", "Busy"), OutcomeUnknown),
    "50026 system error": (envelope([], "50026", "Error"), OutcomeUnknown),
    "a code nobody knows": (envelope([], "59999", "?"), OutcomeUnknown),
    "a row's code nobody knows": (row("51999"), OutcomeUnknown),
    "51016 the id is taken": (row("51016", "Duplicated client order ID"), OutcomeUnknown),
    "51016 under code 0": (row("51016", envelope_code="0"), OutcomeUnknown),
    "51603 no such order": (row("51603", "Order does not exist"), OutcomeUnknown),
    "50011 too often": (envelope([], "50011", "Too Many Requests"), RateLimited),
    "50061 too often for the account": (row("50061", "Too many"), RateLimited),
    "50102 clock off": (envelope([], "50102", "Timestamp expired"), VenueUnavailable),
    "50111 wrong key": (envelope([], "50111", "Invalid OK-ACCESS-KEY"), VenueRefused),
    "50113 wrong signature": (envelope([], "50113", "Invalid sign"), VenueRefused),
    "51000 bad parameter": (row("51000", "Parameter sz error"), VenueRefused),
    "51001 no such instrument": (row("51001", "Instrument ID does not exist"), VenueRefused),
    "51008 no money": (row("51008", "Insufficient balance"), VenueRefused),
    "51008 under code 2": (row("51008", "Insufficient balance", "2"), OutcomeUnknown),
    "51020 too small": (row("51020", "Below the minimum"), VenueRefused),
}


@pytest.mark.parametrize(("answer", "kind"), FAULTS.values(), ids=FAULTS.keys())
async def test_each_failure_of_an_order_ends_in_its_class(
    okx: LocalOkx, answer: Handler, kind: type[OxbotError]
) -> None:
    with pytest.raises(OxbotError) as caught:
        await placed(okx, answer)
    assert type(caught.value) is kind
    assert str(caught.value).startswith("OKX ")
    assert okx.asked("trade/batch-orders") == 1, "an order is never sent again by the client"


async def test_an_acknowledged_order_has_its_id(okx: LocalOkx) -> None:
    acknowledged = {"clOrdId": "a1", "ordId": "3122", "sCode": "0", "sMsg": "", "ts": "1"}
    assert await placed(okx, envelope([acknowledged])) == "3122"


@pytest.mark.parametrize("kind", [ccxt.ArgumentsRequired, ccxt.BadSymbol, ccxt.NotSupported])
def test_what_ccxt_refuses_before_sending_was_never_sent(kind: type[Exception]) -> None:
    assert type(order_failure(kind("okx requires an argument"))) is VenueRefused


CCXT_ERRORS = st.sampled_from(
    [error for error in vars(ccxt).values() if isinstance(error, type)]
).filter(lambda kind: issubclass(kind, ccxt.BaseError))


@given(kind=CCXT_ERRORS, said=st.text(max_size=40))
@settings(suppress_health_check=list(HealthCheck))
def test_no_error_without_a_code_of_okx_is_a_refusal_unless_nothing_was_sent(
    kind: type[Exception], said: str
) -> None:
    expected = (
        VenueRefused
        if issubclass(kind, ccxt.ArgumentsRequired | ccxt.BadSymbol | ccxt.NotSupported)
        else OutcomeUnknown
    )
    assert type(order_failure(kind(said))) is expected
