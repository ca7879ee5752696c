"""Kills and faults at every step of an order, and what must not come of them."""
