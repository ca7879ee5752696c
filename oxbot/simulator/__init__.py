"""A simulated OKX: an HTTP and WebSocket server on loopback that answers as OKX v5 does.

In the order of the data::

    candles.py                          what a source of candles offers
    model.py, generator.py, files.py    the two sources: generated, or read from files
    paths.py                            how the price moves inside one candle
    waves.py, swaps.py, made_up.py      swaps out of spot, and pairs without a market
    market.py                           what may be seen of the candles at a venue time
    timeframes.py, book.py              longer candles and order books made of it
    clock.py, state.py                  the venue's time, and its memory
    fault_rules.py, faults.py           what goes wrong, and when
    rate_limits.py                      how often it may be asked
    finished.py                         candles that have ended, kept as OKX's rows
    venue.py                            all of this together
    answers.py, swap_answers.py         OKX's rows
    okx.py, okx_swaps.py                the public side of the HTTP server
    fault_answers.py                    what a client sees of a fault
    ws_streams.py, ws_channels.py       what is pushed, and what can be subscribed to
    ws_hub.py, ws_client.py             who follows what, and what waits to be sent
    ws_messages.py, ws_limits.py, ws.py the WebSocket side of the server
    private/                            accounts, their orders, and the log of what happened
    control.py, fault_control.py        the hand on clock and faults
    fault_store.py                      where fault rules are kept
    defaults.py, options.py, server.py  from the command line to a listening server

Prices behind the HTTP border count in whole ticks and whole lots, what accounts have in
Decimal, so no price is ever a float; strings are made where the answer is written.
"""
