"""What the simulator does unless told otherwise; importing this costs nothing."""

DEFAULT_SEED = 7
"""The seed of the market that comes up when nobody asks for another."""

DEFAULT_PORT = 8021
DEFAULT_TIMEFRAME = "5m"
DEFAULT_MODE = "speed"
DEFAULT_RATE = "1"
