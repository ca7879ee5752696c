"""Replies as files, one for each question."""

import asyncio
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from oxbot.domain.errors import SetupError
from oxbot.records import ModelReply


@dataclass(frozen=True)
class ReplyFiles:
    """`oxbot.app.replies.Replies` in a directory, for any number of processes.

    Args:
        directory: Where they are; made when the first reply comes, for its owner only.
    """

    directory: Path

    async def get(self, key: str) -> ModelReply | None:
        """Give the reply of this key; None where there is none, or what is there is none.

        Raises:
            SetupError: The directory cannot be read.
        """
        return await asyncio.to_thread(self._read, key)

    async def put(self, key: str, reply: ModelReply) -> None:
        """Keep a reply; the first one of a key stays.

        Raises:
            SetupError: The directory cannot be written.
        """
        await asyncio.to_thread(self._write, key, reply.model_dump_json())

    def _path(self, key: str) -> Path:
        return self.directory / key[:2] / f"{key}.json"

    def _read(self, key: str) -> ModelReply | None:
        path = self._path(key)
        try:
            return ModelReply.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError:  # of another version: it is asked again
            path.unlink(missing_ok=True)
            return None
        except OSError as error:
            raise _refused(self.directory, error) from error

    def _write(self, key: str, text: str) -> None:
        """Write all of it or nothing: others may look at the same moment."""
        path = self._path(key)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent) as file:
                file.write(text)
                file.flush()
                os.link(file.name, path)
        except FileExistsError:
            return
        except OSError as error:
            raise _refused(self.directory, error) from error


def _refused(directory: Path, error: OSError) -> SetupError:
    return SetupError(
        f"The replies of models are kept in {directory}, which cannot be used: {error}. Make it "
        "readable and writable, or name another with OXBOT_MODEL_REPLIES."
    )
