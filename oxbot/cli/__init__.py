"""The command line: one of the two doors to the use cases; the other is the API.

`main` joins the commands and turns errors into sentences and exit codes. The modules with a
command's signature (`bots`, `config`, `demo`, `simulator`, `system`) import nothing heavy, so
that `oxbot --help` answers at once; what a command does lies in modules of its own.
"""
