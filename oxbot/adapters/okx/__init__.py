"""OKX, real or simulated, through ccxt.

The order of the data::

    place.py     which OKX: host, demo trading, addresses; ccxt's clients made for it
    client.py    one connection for requests, throttled, no retries; raw rows
    errors.py    failures of reading, loud and silent, as the project's errors
    parse.py     raw rows to instruments, quotes, candles and perpetuals, exact to the last digit
    listing.py   what OKX lists, shared by all processes
    kept_candles.py  the candles read last
    feed.py      the MarketFeed made of them
    channel.py   one connection for the stream; raw rows, or why it ended
    stream.py    the PriceStream made of it
    clock.py     the venue's time; needs no ccxt
    order_errors.py  failures of orders, where silence is no refusal

All but `clock` import ccxt, which takes over a second: import them where they are used, not
where a process starts.
"""
