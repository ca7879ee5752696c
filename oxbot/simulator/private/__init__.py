"""The private side of the simulated OKX: accounts, their orders, and the log of what happened.

In the order of the data::

    spec.py                             an account as it is made
    events.py, journal.py               what happened, and the file in which it stands
    books.py                            what an account has, which follows from its events
    matching.py                         what an order takes from the book
    wishes.py, judging.py               what is asked for, and whether it can be
    desk.py                             takes orders, lets time pass, writes everything down
    signing.py                          who asks
    rows.py                             OKX's rows
    calls.py, account_api.py, trade_api.py   the HTTP side
    control.py                          accounts and the log by hand

State is nothing but the sum of the events, so the log cannot tell another story than the
endpoints do, and whatever is in the file survives the process.
"""
