"""Adapters: the ports of `oxbot.ports`, spoken to real systems."""
