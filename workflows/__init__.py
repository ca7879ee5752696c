"""Workflows: control flow only. What they cause happens in activities."""
