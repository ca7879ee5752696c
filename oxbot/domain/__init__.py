"""What trading is, without I/O and without a clock."""
