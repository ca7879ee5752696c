"""Models that answer the `ChatModel` port."""
