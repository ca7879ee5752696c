"""`python -m api`: serve until SIGTERM or SIGINT; requests under way are answered first."""

import socket
import sys

import uvicorn
from fastapi import FastAPI

from api.app import create_app
from oxbot.domain.errors import OxbotError
from oxbot.ending import end_process
from oxbot.logs import configure_logs
from oxbot.settings import Settings


class Server(uvicorn.Server):
    """Ends live streams before it waits for the answers under way to end."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self.application = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, let answers end, and close."""
        self.application.state.following.close()
        await super().shutdown(sockets)


def main() -> int:
    """Serve; 1 with a sentence on stderr when it cannot start."""
    settings = Settings()
    configure_logs(settings.log_format, settings.log_level)
    try:
        app = create_app(settings)
    except OxbotError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    config = uvicorn.Config(
        app,
        host=settings.api_host,
        port=settings.api_port,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=bool(settings.api_proxies),
        forwarded_allow_ips=settings.api_proxies or None,
        timeout_graceful_shutdown=3,
    )
    Server(config, app).run()
    return 0


if __name__ == "__main__":
    end_process(main())
