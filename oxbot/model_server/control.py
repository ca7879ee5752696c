"""The hand on the faults: GET, POST and DELETE /control/faults; GET /healthz.

GET answers {"asked": questions so far, "rules": [...]}, each rule with how often it has
struck; POST takes one rule or a list, DELETE removes all. Both answer as GET does then.
"""

import json

from aiohttp import web

from oxbot.domain.errors import InputError
from oxbot.model_server.fault_rules import parse_rules
from oxbot.model_server.faults import Faults

PATH = "/control/faults"


class Control:
    """The control side.

    Args:
        faults: Which it controls.
    """

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def routes(self) -> list[web.RouteDef]:
        """The paths under /control, and /healthz."""
        return [
            web.get(PATH, self.read),
            web.post(PATH, self.add),
            web.delete(PATH, self.remove),
            web.get("/healthz", self.health),
        ]

    async def read(self, _: web.Request) -> web.Response:
        """The rules in force."""
        shown = [
            active.rule.model_dump(mode="json", exclude_none=True) | {"used": active.used}
            for active in self._faults.active
        ]
        return web.json_response({"asked": self._faults.asked, "rules": shown})

    async def add(self, request: web.Request) -> web.Response:
        """Put rules in force; a bad one is answered with 400, and then none of them is."""
        try:
            self._faults.add(parse_rules(json.loads(await request.read())))
        except InputError as error:
            return web.json_response({"error": str(error)}, status=400)
        except (ValueError, RecursionError) as error:
            return web.json_response({"error": f"The body is not JSON: {error}."}, status=400)
        return await self.read(request)

    async def remove(self, request: web.Request) -> web.Response:
        """Take all rules out of force."""
        self._faults.clear()
        return await self.read(request)

    async def health(self, _: web.Request) -> web.Response:
        """That the server answers."""
        return web.json_response({"status": "ok"})
