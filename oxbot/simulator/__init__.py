"""A simulated OKX: an HTTP server on loopback that answers as OKX v5 does.

In the order of the data::

    candles.py                          what a source of candles offers
    model.py, generator.py, files.py    the two sources: generated, or read from files
    paths.py                            how the price moves inside one candle
    market.py                           what may be seen of the candles at a venue time
    timeframes.py, book.py              longer candles and order books made of it
    clock.py, state.py                  the venue's time, and its memory
    answers.py, okx.py, control.py      OKX's rows, and the two sides of the HTTP server
    defaults.py, options.py, server.py  from the command line to a listening server

Everything behind the HTTP border counts in whole ticks and whole lots, so no price is
ever a float; strings are made where the answer is written.
"""
