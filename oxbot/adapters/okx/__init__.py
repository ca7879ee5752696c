"""OKX, real or simulated, through ccxt.

The order of the data::

    client.py    ccxt's client: one connection, throttled, no retries; raw rows
    errors.py    failures, loud and silent, as the project's errors
    parse.py     raw rows to instruments, quotes and candles, exact to the last digit
    feed.py      the MarketFeed made of them
    clock.py     the venue's time; needs no ccxt

All but `clock` import ccxt, which takes over a second: import them where they are used, not
where a process starts.
"""
