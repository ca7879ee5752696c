"""How Temporal is reached."""

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig
from temporalio.service import RPCError

from oxbot.domain.errors import Unavailable


async def connect(address: str, namespace: str, *, lazy: bool = False) -> Client:
    """Connect to Temporal's frontend; keys and TLS come from TEMPORAL_* as its own tools have it.

    Args:
        address: host:port.
        namespace: Temporal's namespace.
        lazy: Connect at the first call instead of now.

    Raises:
        Unavailable: Nobody answers there.
    """
    config = ClientConfig.load_client_connect_config()
    config["target_host"] = address
    config["namespace"] = namespace
    try:
        return await Client.connect(**config, data_converter=pydantic_data_converter, lazy=lazy)
    except (RPCError, RuntimeError) as error:
        raise Unavailable(
            f"Temporal does not answer at {address}. Start it with `oxbot up`, or set "
            f"TEMPORAL_ADDRESS."
        ) from error
