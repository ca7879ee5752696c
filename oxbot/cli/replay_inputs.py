"""What a replay is made of, checked before anything starts, and kept beside its data."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from oxbot.app.replay import history_begins
from oxbot.cli import demo_fresh
from oxbot.cli.replay_bots import PlannedBot
from oxbot.domain.errors import Conflict, InputError
from oxbot.domain.values import Value
from oxbot.embedded.paths import read_json_object, write_private_json
from oxbot.simulator.candles import CandleSource
from oxbot.simulator.defaults import DEFAULT_TIMEFRAME
from oxbot.simulator.files import read_folder
from oxbot.simulator.generator import GeneratedMarket
from oxbot.simulator.options import HISTORY_MS
from oxbot.simulator.venue_time import iso, parse_iso

FILE: Final = "replay.json"
"""Where a replay's inputs are kept in its directory."""

SECOND_MS: Final = 1000
"""A replay begins at a whole second, as the simulator's start is written."""

DIGITS: Final = 8
"""Of the inputs' digest, in a replay's name."""

TOLD: Final = {
    "market_sha256": "the candles",
    "timeframe": "--timeframe",
    "seed": "--seed",
    "from_ms": "--from",
    "to_ms": "--to",
    "bots": "--bots",
    "faults": "--faults",
}
"""How each input is named to people."""


class Inputs(Value):
    """Everything that a replay's ledger depends on; times in venue ms.

    `market_sha256` is the digest of the candles from the first that a bot looks back at to
    the last that it meets, so that neither the files' place nor later candles matter.
    """

    market_sha256: str
    timeframe: str
    seed: int
    from_ms: int
    to_ms: int
    bots: tuple[PlannedBot, ...]
    faults: JsonValue = None

    @property
    def name(self) -> str:
        """A name of their own: the first day, and a part of their digest."""
        digest = hashlib.sha256(self.model_dump_json().encode()).hexdigest()
        return f"{iso(self.from_ms)[:10]}-{digest[:DIGITS]}"

    def keep(self, directory: Path) -> None:
        """Keep them in a replay's directory, or make sure that they are those kept there.

        Raises:
            Conflict: The directory belongs to a replay of other inputs, or to no replay.
        """
        kept = read_json_object(directory / FILE)
        if not kept:
            _must_be_free(directory)
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private_json(directory / FILE, self.model_dump(mode="json"))
            return
        mine = self.model_dump(mode="json")
        others = [told for field, told in TOLD.items() if mine[field] != kept.get(field)]
        if others:
            raise Conflict(
                f"The replay in {directory} was begun with other inputs ({', '.join(others)}), "
                f"and would become a mixture. Give this one another --name, or start over with "
                f"--fresh."
            )


def _must_be_free(directory: Path) -> None:
    """A system's data without a replay's inputs is somebody else's."""
    if any((directory / name).exists() for name in demo_fresh.OURS):
        raise Conflict(
            f"{directory} holds a system that is not a replay's. Give the replay another "
            f"--name, or start over with --fresh."
        )


@dataclass(frozen=True)
class Stretch:
    """The market and the part of it that is replayed, in venue ms."""

    source: CandleSource
    from_ms: int
    to_ms: int

    @classmethod
    def of(cls, source: CandleSource, start: str, end: str) -> "Stretch":
        """Read the two moments.

        Raises:
            InputError: They are no moments, lie in the wrong order or outside the market, or
                there is too little history before the first.
        """
        made = cls(source, parse_iso(start) // SECOND_MS * SECOND_MS, parse_iso(end))
        if made.from_ms >= made.to_ms:
            raise InputError(f"--from {start} must lie before --to {end}.")
        if made.to_ms > source.end_ms:
            raise InputError(
                f"--to {iso(made.to_ms)} lies beyond the market, which ends {iso(source.end_ms)}."
            )
        earliest_ms = _earliest(source)
        if earliest_ms > source.end_ms - source.step_ms:
            raise InputError(
                f"The market ({iso(source.first_ms)} to {iso(source.end_ms)}) is too short: "
                f"bots look back for longer. Use more candles."
            )
        if made.from_ms < earliest_ms:
            raise InputError(
                f"--from {iso(made.from_ms)} is too early: the market begins "
                f"{iso(source.first_ms)}, and bots look back. Begin {iso(earliest_ms)} or later."
            )
        return made

    @property
    def first_seen_ms(self) -> int:
        """From when on candles are looked at."""
        return history_begins(self.from_ms)

    def sha256(self) -> str:
        """Digest the candles that are looked at, by symbol."""
        digest = hashlib.sha256()
        for symbol in self.source.symbols:
            bars = self.source.bars(symbol, self.first_seen_ms, self.to_ms)
            digest.update(f"{symbol} {bars.first_ms} {bars.step_ms}\n".encode())
            digest.update(bars.rows.tobytes())
        return digest.hexdigest()


def _earliest(source: CandleSource) -> int:
    """Give the first beginning that has its history, in venue ms."""
    kept_ms = HISTORY_MS if isinstance(source, GeneratedMarket) else 0
    earliest_ms = source.first_ms + kept_ms
    while history_begins(earliest_ms) < source.first_ms:
        earliest_ms += source.step_ms
    return earliest_ms


def open_market(candles: Path | None, timeframe: str, seed: int) -> CandleSource:
    """Open the candles of a folder, or the generated market.

    Raises:
        InputError: A broken file (with its line), or a timeframe that does not go with it.
    """
    if candles is not None:
        return read_folder(candles, timeframe)
    if timeframe != DEFAULT_TIMEFRAME:
        raise InputError(f"The generated market has {DEFAULT_TIMEFRAME} candles only.")
    return GeneratedMarket(seed)
