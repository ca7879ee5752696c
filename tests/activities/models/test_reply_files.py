"""Replies as files: whole, private, and of the first who kept one."""

import asyncio
from pathlib import Path

import pytest

from oxbot.adapters.models.reply_files import ReplyFiles
from oxbot.app.kept import KeptModel
from oxbot.domain.errors import SetupError
from oxbot.domain.models import ModelChoice
from oxbot.records import ModelReply
from tests.activities.models.asking import question
from tests.support.fakes import FakeModel

KEY = "ab" * 32


def reply(text: str) -> ModelReply:
    return ModelReply(text=text, provider="dashscope", model="qwen-max", request_id="r")


def files_below(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


async def test_a_reply_is_found_by_its_key_and_the_first_one_stays(tmp_path: Path) -> None:
    replies = ReplyFiles(tmp_path / "not" / "yet")
    assert await replies.get(KEY) is None
    await replies.put(KEY, reply("first: „ü“"))
    await replies.put(KEY, reply("second"))
    assert await replies.get(KEY) == reply("first: „ü“")
    assert await replies.get("cd" * 32) is None


async def test_of_many_who_keep_one_at_the_same_time_all_find_the_same(tmp_path: Path) -> None:
    replies = ReplyFiles(tmp_path)
    await asyncio.gather(*(replies.put(KEY, reply(str(number))) for number in range(20)))
    found = await asyncio.gather(*(replies.get(KEY) for _ in range(20)))
    assert len(set(map(str, found))) == 1
    assert len(files_below(tmp_path)) == 1


async def test_they_are_for_their_owner_alone(tmp_path: Path) -> None:
    await ReplyFiles(tmp_path / "replies").put(KEY, reply("x"))
    modes = {path.stat().st_mode & 0o077 for path in (tmp_path / "replies").rglob("*")}
    assert modes == {0}


async def test_a_file_that_is_no_reply_is_asked_for_anew(tmp_path: Path) -> None:
    replies = ReplyFiles(tmp_path)
    await replies.put(KEY, reply("x"))
    (tmp_path / KEY[:2] / f"{KEY}.json").write_text('{"text": ')
    assert await replies.get(KEY) is None
    await replies.put(KEY, reply("y"))
    assert await replies.get(KEY) == reply("y")


async def test_a_place_that_cannot_be_used_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    replies = ReplyFiles(tmp_path / "file")
    with pytest.raises(SetupError, match="OXBOT_MODEL_REPLIES"):
        await replies.put(KEY, reply("x"))


async def test_a_kept_model_asks_once_and_counts_what_that_cost(tmp_path: Path) -> None:
    fake = FakeModel()
    kept = KeptModel(fake, ReplyFiles(tmp_path))
    asked = question(ModelChoice(provider="fake"))
    first = await kept.complete(asked)
    assert await kept.complete(asked) == first
    assert (fake.asked, kept.asked) == (1, 1)
    assert kept.spent.cost_usd == first.cost_usd
