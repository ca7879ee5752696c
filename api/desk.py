"""How a request gets at the desk that the application opened."""

from typing import Annotated, cast

from fastapi import Depends, Request

from oxbot.app.alarm import Alarm
from oxbot.app.bots import Desk
from oxbot.settings import Settings


def _desk(request: Request) -> Desk:
    return cast("Desk", request.app.state.desk)


def _settings(request: Request) -> Settings:
    return cast("Settings", request.app.state.settings)


def _alarm(request: Request) -> Alarm:
    return cast("Alarm", request.app.state.alarm)


TheAlarm = Annotated[Alarm, Depends(_alarm)]
TheDesk = Annotated[Desk, Depends(_desk)]
TheSettings = Annotated[Settings, Depends(_settings)]
