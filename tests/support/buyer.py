"""A model service of one mind: it buys BTC whenever it is asked, so that a bot soon holds some."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

SYMBOL: Final = "BTC/USDT"
DECISION: Final = {
    "summary": "Buy BTC, whatever it costs.",
    "proposals": [
        {
            "symbol": SYMBOL,
            "action": "buy",
            "confidence": "0.9",
            "expected_move": "0.05",
            "invalidation": "never",
            "reason": "It was asked for.",
        }
    ],
}
ANSWER: Final[dict[str, Any]] = {  # Any: JSON
    "id": "bought",
    "object": "chat.completion",
    "created": 0,
    "model": "gpt-4.1-mini",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": json.dumps(DECISION)},
        }
    ],
    "usage": {"prompt_tokens": 1_000, "completion_tokens": 50, "total_tokens": 1_050},
}


class _Buyer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer a question, without a look at it."""
        self.rfile.read(int(self.headers["Content-Length"]))
        said = json.dumps(ANSWER).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as its class has it
        """Say nothing on stderr."""


@contextmanager
def buyer() -> Iterator[dict[str, str]]:
    """Serve; gives the environment in which bots with provider openai are told to buy."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Buyer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield {"OPENAI_BASE_URL": f"http://127.0.0.1:{server.server_port}/v1"}
    finally:
        server.shutdown()
        server.server_close()
