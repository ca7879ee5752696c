"""`oxbot bots start, archive, unarchive`."""

from oxbot.app import keeping
from oxbot.cli import output
from oxbot.cli.desk import at_desk, user
from oxbot.domain.bot import Bot
from oxbot.domain.bot_changes import Word


def start(bot_id: str, *, as_json: bool) -> None:
    """Start a bot whose workflow is gone. NotFound, Conflict, Unavailable."""
    done = at_desk(lambda desk: keeping.start_bot(desk, bot_id))
    if as_json:
        output.write_json(done)
        return
    how = "had no workflow, and was started" if done.started else "has a workflow already"
    output.console().print(f"Bot {bot_id} {how}. It is {done.bot.status}.")


def archive(bot_id: str, reason: str, *, as_json: bool) -> None:
    """Have lists leave a bot out. NotFound, Conflict, VenueUnavailable."""
    bot = at_desk(lambda desk: keeping.archive_bot(desk, bot_id, word_of(reason)))
    _tell(bot, f"Bot {bot_id} is archived: `oxbot bots list --archived` shows it.", as_json=as_json)


def unarchive(bot_id: str, reason: str, *, as_json: bool) -> None:
    """Have lists show a bot again. NotFound."""
    bot = at_desk(lambda desk: keeping.unarchive_bot(desk, bot_id, word_of(reason)))
    _tell(bot, f"Bot {bot_id} is in the list again.", as_json=as_json)


def word_of(reason: str) -> Word:
    """Say who sits at this terminal, and why it is done."""
    return Word(by=f"{user()}, command line", reason=reason)


def _tell(bot: Bot, told: str, *, as_json: bool) -> None:
    if as_json:
        output.write_json(bot)
    else:
        output.console().print(told)
