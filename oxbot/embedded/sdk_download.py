"""Fetches Temporal's program with the SDK's own download: `... DIRECTORY VERSION`.

The SDK downloads only in order to start a server, so one is started and ended at once. In
a process of its own, since a download inside the SDK's Rust core cannot be interrupted.
"""

import asyncio
import sys

from temporalio.testing import WorkflowEnvironment


async def fetch(directory: str, version: str) -> None:
    """Leave the program in the directory.

    Raises:
        RuntimeError: The SDK could not download or start it.
    """
    environment = await WorkflowEnvironment.start_local(
        download_dest_dir=directory, dev_server_download_version=version
    )
    await environment.shutdown()


def main() -> None:
    """Fetch, or say in one line why not."""
    try:
        asyncio.run(fetch(sys.argv[1], sys.argv[2]))
    except RuntimeError as error:
        sys.exit(str(error).splitlines()[0])


if __name__ == "__main__":
    main()
