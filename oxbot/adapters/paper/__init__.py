"""Orders on paper: real prices, no exchange."""
