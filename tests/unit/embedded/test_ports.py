import os
import socket

import pytest

from oxbot.domain.errors import SetupError
from oxbot.embedded.ports import Wanted, check_free, problem
from tests.support.ports import free_port


def wanted(port: int, purpose: str = "the API") -> Wanted:
    last_word = purpose.rpartition(" ")[2]
    return Wanted(purpose, "127.0.0.1", port, f"OXBOT_{last_word.upper()}_PORT")


def test_a_taken_port_names_who_has_it_and_what_to_set() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(SetupError) as refusal:
            check_free([wanted(port)])
    assert f"Port {port}, wanted by the API, is taken by process {os.getpid()}" in str(
        refusal.value
    )
    assert "OXBOT_API_PORT" in str(refusal.value)


def test_a_free_port_is_no_problem_also_just_after_it_was_used() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            server.accept()[0].close()
    assert problem(wanted(port)) is None


def test_two_parts_may_not_want_the_same_port() -> None:
    port = free_port()
    with pytest.raises(SetupError, match=r"OXBOT_API_PORT or OXBOT_SIMULATOR_PORT"):
        check_free([wanted(port), wanted(port, "the simulator")])


def test_an_address_that_is_not_this_machines_is_said() -> None:
    with pytest.raises(SetupError, match=r"cannot listen on 192\.0\.2\.1"):
        check_free([Wanted("the API", "192.0.2.1", 1234, "OXBOT_API_PORT")])
