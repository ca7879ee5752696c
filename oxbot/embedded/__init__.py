"""Temporal, PostgreSQL and Redis for one machine, and the processes of 0xBot beside them.

Read in this order: `binaries` and `temporal_binary` find the programs, `postgres`, `redis`
and `temporal` say how each is run, `child` runs one, `supervisor` keeps several alive,
`servers` joins the three, `system` adds migrations, simulator, worker and API.
"""
