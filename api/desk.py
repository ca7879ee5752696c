"""How a request gets at the desk that the application opened.

What depends on nothing but the application is a coroutine all the same: anything else would go to
a thread and back, at each request.
"""

from typing import Annotated, cast

from fastapi import Depends, Request

from oxbot.app.alarm import Alarm
from oxbot.app.bots import Desk
from oxbot.settings import Settings


async def _desk(request: Request) -> Desk:
    return cast("Desk", request.app.state.desk)


async def _settings(request: Request) -> Settings:
    return cast("Settings", request.app.state.settings)


async def _alarm(request: Request) -> Alarm:
    return cast("Alarm", request.app.state.alarm)


TheAlarm = Annotated[Alarm, Depends(_alarm)]
TheDesk = Annotated[Desk, Depends(_desk)]
TheSettings = Annotated[Settings, Depends(_settings)]
