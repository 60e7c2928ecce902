"""A connector whose LMS is a JSON file: partitions with their records, or with the word for what goes wrong."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr, field_validator
from rollbook.core.connector import Connector, Notice, Page, Partition, Settings
from rollbook.core.errors import AuthError, Forbidden, VendorError
from rollbook.core.registry import register

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from rollbook.core.native import JSON


class PaperSettings(Settings):
    file: str
    """Path of the file that stands for the LMS."""
    token: SecretStr
    """Key of its API."""
    floor: int = 1
    """Which floor the file is on."""

    @field_validator("file")
    @classmethod
    def _is_json(cls, value: str) -> str:
        if not value.endswith(".json"):
            raise ValueError("expected a file that ends in .json")
        return value

    def origin(self) -> str:
        return "https://paper.example.com"


@register
class Paper(Connector[PaperSettings]):
    name, title, Settings = "paper", "Paper LMS", PaperSettings

    def _read(self) -> dict[str, Any]:
        if self.settings.token.get_secret_value() == "wrong":
            raise AuthError("the LMS refuses the token", hint="Make a new one.")
        return json.loads(Path(self.settings.file).read_text())

    async def check(self) -> Sequence[Notice]:
        return [Notice(text, level) for level, text in self._read().get("notices", {}).items()]

    async def partitions(self) -> AsyncIterator[Partition]:
        for key in self._read()["partitions"]:
            yield Partition(key)

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        found = self._read()["partitions"][partition.key]
        match found:
            case "forbidden":
                raise Forbidden("the token may not read this")
            case "down":
                raise VendorError("no answer")
            case "interrupt":
                os.kill(os.getpid(), signal.SIGINT)
                yield Page([], "again")
            case "terminate":
                os.kill(os.getpid(), signal.SIGTERM)
                await asyncio.sleep(0)  # the loop takes the signal
                yield Page([], "again")
                yield Page([])
            case _:
                yield Page(found)
