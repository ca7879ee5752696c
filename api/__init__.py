"""The API on 127.0.0.1:8020: what bots do, as JSON and as a page, and how they are controlled.

`app` joins the parts, `users` sign in, `routes` are the bots, `control` their verbs, `status` and
`metrics` the market and what is protected, `health` says who answers, `problems` turns errors into
problem+json, `page`, `sign_in` and `reference` are HTML. Beside all that it rings the alarm where
nobody watches open positions.
"""
