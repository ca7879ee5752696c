"""Temporal: the connection, and control of the running bots."""
