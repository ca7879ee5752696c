"""Which OKX is asked: three hosts, demo trading, and addresses of one's own."""

import pytest

from oxbot.adapters.okx.client import OkxClient
from oxbot.adapters.okx.place import Host, Place, open_rest, open_stream, rest_url_of, ws_url_of
from oxbot.bootstrap.exchange import data_client, price_stream, venue_of
from oxbot.settings import OKX_ADDRESSES, Settings
from tests.activities.okx_server import local_okx

HOSTS: tuple[Host, ...] = ("okx", "myokx", "okxus")
WS = {
    ("okx", False): "wss://ws.okx.com:443/ws/v5/public",
    ("okx", True): "wss://wspap.okx.com:443/ws/v5/public?brokerId=9999",
    ("myokx", False): "wss://wseea.okx.com:443/ws/v5/public",
    ("myokx", True): "wss://wseeapap.okx.com:443/ws/v5/public?brokerId=9999",
    ("okxus", False): "wss://wsus.okx.com:443/ws/v5/public",
    ("okxus", True): "wss://wsuspap.okx.com:443/ws/v5/public?brokerId=9999",
}


def settings_of(**given: object) -> Settings:
    return Settings.model_validate({"simulator_url": None, "okx_rest_url": None, **given})


@pytest.mark.parametrize("demo", [False, True])
@pytest.mark.parametrize("host", HOSTS)
async def test_each_host_is_asked_at_its_own_addresses(host: Host, *, demo: bool) -> None:
    place = Place(host, demo)
    rest, stream = open_rest(place), open_stream(place, 5_000)
    assert rest_url_of(rest) == OKX_ADDRESSES[host] == settings_of(okx_host=host).okx_address
    assert ws_url_of(stream) == WS[host, demo]
    for exchange in (rest, stream):
        assert exchange.headers.get("x-simulated-trading") == ("1" if demo else None)
        await exchange.close()


@pytest.mark.parametrize("demo", [False, True])
async def test_addresses_of_ones_own_hold_in_demo_trading_too(*, demo: bool) -> None:
    """ccxt's sandbox mode replaces all addresses, those that were given as well."""
    async with local_okx() as okx, OkxClient(okx.url, demo=demo, throttled=False) as client:
        await client.server_time_ms()
    [request] = okx.requests
    assert request.headers.get("x-simulated-trading") == ("1" if demo else None)
    stream = open_stream(Place(demo=demo, ws_url="ws://127.0.0.1:1/ws/v5/"), 5_000)
    assert ws_url_of(stream).startswith("ws://127.0.0.1:1/ws/v5/public")
    await stream.close()


async def test_no_client_changes_the_addresses_of_another() -> None:
    for demo in (True, False):
        exchange = open_rest(Place(demo=demo, rest_url="http://127.0.0.1:1"))
        await exchange.close()
    untouched = open_stream(Place(), 5_000)
    assert (rest_url_of(untouched), ws_url_of(untouched)) == (
        OKX_ADDRESSES["okx"],
        WS["okx", False],
    )
    await untouched.close()


async def test_every_client_has_a_throttle_of_its_own() -> None:
    first, second = open_rest(Place()), open_rest(Place())
    assert first.throttler is not second.throttler
    await first.close()
    await second.close()


@pytest.mark.parametrize(
    ("given", "venue"),
    [
        ({}, "okx"),
        ({"okx_demo": True}, "okx-demo"),
        ({"okx_host": "myokx"}, "myokx"),
        ({"okx_host": "okxus", "okx_demo": True}, "okxus-demo"),
        ({"simulator_url": "http://127.0.0.1:8021", "okx_demo": True}, "okx-simulated"),
    ],
)
def test_prices_of_two_worlds_have_two_venues(given: dict[str, object], venue: str) -> None:
    assert venue_of(settings_of(**given)) == venue


@pytest.mark.parametrize(
    ("given", "rest", "stream"),
    [
        ({}, "https://www.okx.com", None),
        ({"okx_host": "myokx"}, "https://eea.okx.com", None),
        (
            {"okx_rest_url": "https://proxy.test/", "okx_ws_url": "wss://proxy.test/ws/v5"},
            "https://proxy.test",
            "wss://proxy.test/ws/v5",
        ),
        (
            {"simulator_url": "http://127.0.0.1:8021/", "okx_rest_url": "https://proxy.test"},
            "http://127.0.0.1:8021",
            "ws://127.0.0.1:8021/ws/v5",
        ),
    ],
)
async def test_the_settings_say_where_prices_come_from(
    given: dict[str, object], rest: str, stream: str | None
) -> None:
    settings = settings_of(**given)
    async with data_client(settings) as client:
        assert client.rest_url == rest
    assert price_stream(settings)._place.ws_url == stream


@pytest.mark.parametrize(
    ("https", "exempt", "proxy"),
    [("http://proxy.test:3128", "", "http://proxy.test:3128"), ("http://p.test", "okx.com", None)],
)
async def test_a_proxy_for_https_is_taken_for_the_encrypted_stream_too(
    monkeypatch: pytest.MonkeyPatch, https: str, exempt: str, proxy: str | None
) -> None:
    for name in ("https_proxy", "wss_proxy", "WSS_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", https)
    monkeypatch.setenv("NO_PROXY", exempt)
    exchange = open_stream(Place(), 5_000)
    assert exchange.wssProxy == proxy
    await exchange.close()
    local = open_stream(Place(ws_url="ws://127.0.0.1:8021/ws/v5"), 5_000)
    assert local.wssProxy is None
    await local.close()
