"""What is happening now, in Redis; all of it can be rebuilt."""
