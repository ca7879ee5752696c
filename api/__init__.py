"""The API on 127.0.0.1:8020: what bots do, as JSON and as a page. It reads; it controls nothing.

`app` joins the parts, `routes` are the bots, `status` and `metrics` the market and what is
protected, `health` says who answers, `problems` turns errors into problem+json, `page` and
`reference` are HTML. Beside all that it rings the alarm where nobody watches open positions.
"""
