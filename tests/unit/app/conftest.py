"""A room of its own for each test."""

import pytest

from tests.unit.app.room import Room


@pytest.fixture
def room() -> Room:
    return Room()
