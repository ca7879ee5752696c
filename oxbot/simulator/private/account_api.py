"""Accounts over HTTP: config, balance, positions, fees, and the list of currencies."""

from aiohttp import web

from oxbot.simulator.instruments import SPOT, SWAP, plain
from oxbot.simulator.okx import EMPTY_KINDS, OkxError, envelope
from oxbot.simulator.private.books import USDT
from oxbot.simulator.private.calls import Call, signed_route
from oxbot.simulator.private.deals import MAKER, TAKER
from oxbot.simulator.private.desk import Desk
from oxbot.simulator.private.rows import Row, balance_row
from oxbot.simulator.private.spec import Permission
from oxbot.simulator.private.wishes import text

READ = Permission.READ


class AccountApi:
    """The endpoints under account, and asset/currencies.

    Args:
        desk: Whose accounts.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        """The paths."""
        paths = {
            "account/config": self.config,
            "account/balance": self.balance,
            "account/positions": self.positions,
            "account/trade-fee": self.trade_fee,
            "asset/currencies": self.currencies,
        }
        return [signed_route(self._desk, "GET", *path, READ) for path in paths.items()]

    def config(self, call: Call) -> web.Response:
        """The account's mode and the key's permissions."""
        spec = call.books.spec
        row = {
            "uid": spec.uid,
            "mainUid": spec.uid,
            "acctLv": spec.acct_lv,
            "posMode": spec.pos_mode,
            "autoLoan": False,
            "greeksType": "PA",
            "level": "Lv1",
            "levelTmp": "",
            "ctIsoMode": "automatic",
            "mgnIsoMode": "automatic",
            "label": spec.key,
            "roleType": "0",
            "kycLv": "2",
            "ip": "",
            "perm": ",".join(sorted(spec.permissions)),
            "type": "0",
            "enableSpotBorrow": False,
            "spotOffsetType": "",
        }
        return envelope([row])

    def balance(self, call: Call) -> web.Response:
        """What the account has; `ccy` picks currencies."""
        wanted = {name for name in text(call.query, "ccy").split(",") if name}
        return envelope([balance_row(call.books, self._desk.prices(call.now_ms), wanted)])

    def positions(self, _: Call) -> web.Response:
        """Spot has none."""
        return envelope([])

    def trade_fee(self, call: Call) -> web.Response:
        """The fees of the first level; negative, as OKX writes what is paid."""
        kind = text(call.query, "instType")
        if kind not in (SPOT, SWAP, *EMPTY_KINDS):
            raise OkxError("51000", "Parameter instType error.")
        blank = ("delivery", "exercise", "makerU", "takerU", "makerUSDC", "takerUSDC")
        row = {
            **dict.fromkeys(blank, ""),
            "category": "1",
            "instType": kind,
            "level": "Lv1",
            "maker": plain(-MAKER),
            "taker": plain(-TAKER),
            "ts": str(call.now_ms),
        }
        return envelope([row])

    def currencies(self, _: Call) -> web.Response:
        """USDT and the coins of the market, each on one chain; nothing can be moved."""
        coins = [listed.coin for listed in self._desk.venue.instruments]
        return envelope([_currency_row(currency) for currency in (USDT, *coins)])


def _currency_row(currency: str) -> Row:
    zero = ("minFee", "maxFee", "minWd", "maxWd", "minDep", "fee", "depQuotaFixed")
    return {
        **dict.fromkeys(zero, "0"),
        "ccy": currency,
        "name": currency,
        "chain": f"{currency}-Simulated",
        "ctAddr": "",
        "canDep": False,
        "canWd": False,
        "canInternal": False,
        "mainNet": True,
        "needTag": False,
        "logoLink": "",
        "wdTickSz": "8",
    }
