"""Faults by hand: GET, POST and DELETE /control/faults.

GET answers {"rules": [...]}, each rule with the venue time it began at and how often it
has struck; POST takes one rule or a list, DELETE takes `?id=` or removes all of them.
Both answer as GET does then.
"""

from aiohttp import web

from oxbot.domain.errors import InputError, NotFound
from oxbot.simulator.control import parse_json, refused
from oxbot.simulator.fault_rules import parse_rules
from oxbot.simulator.faults import ActiveRule
from oxbot.simulator.venue import Venue

PATH = "/control/faults"


class FaultControl:
    """The control side of the venue's faults.

    Args:
        venue: Whose faults.
    """

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def routes(self) -> list[web.RouteDef]:
        """The three methods of /control/faults."""
        return [
            web.get(PATH, self.read),
            web.post(PATH, self.add),
            web.delete(PATH, self.remove),
        ]

    async def read(self, _: web.Request) -> web.Response:
        """The rules in force."""
        return self._rules()

    async def add(self, request: web.Request) -> web.Response:
        """Put rules in force; a bad one is answered with 400, and then none of them is."""
        try:
            rules = parse_rules(parse_json(await request.read()))
        except InputError as error:
            return refused(error)
        self._venue.faults.add(rules, self._venue.clock.now())
        return self._rules()

    async def remove(self, request: web.Request) -> web.Response:
        """Take one rule out of force, or all of them; 404 for an id that is not known."""
        rule_id = request.query.get("id")
        try:
            if rule_id is None:
                self._venue.faults.clear()
            else:
                self._venue.faults.remove(rule_id)
        except NotFound as error:
            return refused(error, status=404)
        return self._rules()

    def _rules(self) -> web.Response:
        now_ms = self._venue.clock.now()
        rules = [_shown(active, now_ms) for active in self._venue.faults.active()]
        return web.json_response({"rules": rules})


def _shown(active: ActiveRule, now_ms: int) -> dict[str, object]:
    rule = active.rule.model_dump(mode="json", exclude_none=True)
    return rule | {"began_ms": active.began_ms, "used": active.used + active.drops(now_ms)}
