"""`oxbot users ...`: who may sign in to the API; what is done is in `user_verbs`."""

from typing import Annotated

import typer

# Each command imports what it needs when it runs: `oxbot --help` must stay fast.
# ruff: noqa: PLC0415

app = typer.Typer(
    help="Users of the API: add them, change them, let others register.", no_args_is_help=True
)

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="The user's name, as `users list` has it.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
FromStdin = Annotated[
    bool,
    typer.Option("--password-stdin", help="Read the password from the first line of stdin."),
]


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """Show all users, and whether others may register."""
    from oxbot.cli import user_verbs

    user_verbs.show_list(as_json=as_json)


@app.command()
def add(
    name: Name,
    *,
    admin: Annotated[bool, typer.Option("--admin", help="As an administrator.")] = False,
    from_stdin: FromStdin = False,
    as_json: AsJson = False,
) -> None:
    """Add a user; the first one is an administrator. Asks for the password."""
    from oxbot.cli import user_verbs

    user_verbs.add(name, admin=admin, from_stdin=from_stdin, as_json=as_json)


@app.command()
def password(name: Name, *, from_stdin: FromStdin = False, as_json: AsJson = False) -> None:
    """Change a password, which ends all logins of the user. Asks for it."""
    from oxbot.cli import user_verbs

    user_verbs.password(name, from_stdin=from_stdin, as_json=as_json)


@app.command("open")
def open_(*, as_json: AsJson = False) -> None:
    """Let everybody who reaches the API register."""
    from oxbot.cli import user_verbs

    user_verbs.registration(is_open=True, as_json=as_json)


@app.command()
def close(*, as_json: AsJson = False) -> None:
    """Let nobody register any more."""
    from oxbot.cli import user_verbs

    user_verbs.registration(is_open=False, as_json=as_json)


@app.command()
def logout(name: Name, *, as_json: AsJson = False) -> None:
    """End all logins of a user: no token of theirs is good any more."""
    from oxbot.cli import user_verbs

    user_verbs.logout(name, as_json=as_json)


@app.command()
def admin(
    name: Name,
    *,
    revoke: Annotated[bool, typer.Option("--revoke", help="Make them no longer one.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a user an administrator, who sees all bots and makes live ones."""
    from oxbot.cli import user_verbs

    user_verbs.admin(name, is_admin=not revoke, as_json=as_json)
