"""The use cases: what the system does, over ports."""
