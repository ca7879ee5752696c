"""What the simulator does unless told otherwise; importing this costs nothing."""

DEFAULT_SEED = 7
"""The seed of the market that comes up when nobody asks for another."""

DEFAULT_PORT = 8021
DEFAULT_TIMEFRAME = "5m"
DEFAULT_MODE = "speed"
DEFAULT_RATE = "1"

DEFAULT_BOOK_USDT = "20000"
DEFAULT_BOOK_GROWTH = "1"
DEFAULT_BOOK_SPREAD = 1
"""Worth of the best level in USDT, growth a level in percent, spread in ticks."""

DEFAULT_OVERALL_LIMIT = 1000
"""Requests in two seconds of one client over all endpoints, where there are rate limits."""
