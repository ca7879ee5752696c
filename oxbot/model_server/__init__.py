"""A server on loopback that speaks to clients as model providers do.

It answers by a plain rule, so that demo and tests run with the providers' real clients and
without a key, and it goes wrong on demand. In the order of the data::

    reading.py                      what a prompt says of each coin
    rule.py                         the decision that follows
    fault_rules.py, faults.py       what goes wrong, and when
    failing.py                      what providers say when they refuse or fail
    bad_replies.py                  answers that come with status 200 and are no good
    chat.py                         one question, its answer, and the tokens of both
    provider.py                     what both protocols do alike
    dashscope.py, openai.py         the two protocols
    control.py, server.py           the hand on the faults, and the listening server
"""
