"""The private side of the simulated OKX: accounts, their orders, and the log of what happened.

In the order of the data::

    spec.py                             an account as it is made
    terms.py, events.py, journal.py     what happened, and the file in which it stands
    books.py                            what an account has, which follows from its events
    matching.py                         what an order takes from the book
    wishes.py, judging.py               what is asked for, and whether it can be
    ledger.py, algo_deals.py, deals.py  writes down what is done
    waiting.py                          what waits for a price, and when it comes
    desk.py                             takes orders, and lets time pass
    signing.py                          who asks
    rows.py, algo_rows.py, pages.py     OKX's rows
    calls.py, account_api.py,           the HTTP side
    trade_api.py, algo_api.py
    push_rows.py, pushes.py             the WebSocket side
    control.py                          accounts and the log by hand

State is nothing but the sum of the events, so the log cannot tell another story than the
endpoints do, and whatever is in the file survives the process.
"""
