"""A server that dies counts only where it died under an order, and came back."""

from typing import cast

import pytest
from chaos_matrix import shared
from chaos_matrix.injection import Act, Injection
from chaos_matrix.life import Life
from chaos_matrix.system import System

from oxbot.domain.bot import Mode

KILL = Injection(
    name="live:kill:redis", style="guarded", mode=Mode.LIVE, act=Act.SERVER, target="redis"
)


class Told:
    """A system of which a test says what it answers.

    Args:
        is_sent: Whether an order is under way.
        comes_back: Whether another server comes in the place of one that was killed.
    """

    def __init__(self, *, is_sent: bool, comes_back: bool) -> None:
        self._is_sent = is_sent
        self._comes_back = comes_back
        self._process = 1

    async def read(self, _asked: object) -> bool:
        return self._is_sent

    def kill(self, _server: str) -> int:
        killed = self._process
        self._process += self._comes_back
        return killed

    def server(self, _server: str) -> int:
        return self._process


@pytest.mark.parametrize(
    ("is_sent", "comes_back", "is_hit"),
    [(True, True, True), (False, True, False), (True, False, False)],
)
async def test_a_server_is_killed_under_an_order_or_it_is_no_hit(
    monkeypatch: pytest.MonkeyPatch, *, is_sent: bool, comes_back: bool, is_hit: bool
) -> None:
    for name in ("UNDER_WAY_WITHIN_S", "BACK_WITHIN_S"):
        monkeypatch.setattr(shared, name, 0)
    monkeypatch.setattr(shared, "MOMENTS_S", (0,))
    system = cast("System", Told(is_sent=is_sent, comes_back=comes_back))
    assert await shared.strike(system, KILL, [Life(system, 1, KILL)]) is is_hit
