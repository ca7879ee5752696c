"""0xBot: crypto trading bots as durable workflows."""

__version__ = "0.1.0"
