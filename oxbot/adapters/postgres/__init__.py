"""The record in PostgreSQL.

Read in this order: `columns` and `schema` say what is kept, `engine` opens it and knows
which errors mean that it does not answer, then one module per kind of record (`bots`,
`limits`, `accounts`, `cycles`, `decisions`, `orders`, `settlement`, `history`, `audit`),
joined by `store`.
"""
