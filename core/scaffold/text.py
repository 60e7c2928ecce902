"""Texts with places for names, and with parts that stand for some choices only."""

from __future__ import annotations

import re
from importlib import resources
from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["filled"]

_CONDITION = re.compile(r"%% (if|end)\b(.*)")


def filled(file: str, words: Collection[str], names: Mapping[str, str]) -> str:
    """Read one of this package's texts.

    Lines between `%% if a b` and `%% end` stand if one of the words is among the choices; `$name` is replaced.

    Args:
        file: Its name.
        words: The choices that were made.
        names: What stands for each name.
    """
    text = resources.files(__name__.rpartition(".")[0]).joinpath(file).read_text(encoding="utf-8")
    kept: list[str] = []
    stands = [True]
    for line in text.splitlines():
        if (found := _CONDITION.fullmatch(line.strip())) is None:
            if all(stands):
                kept.append(line)
        elif found[1] == "if":
            stands.append(not set(words).isdisjoint(found[2].split()))
        else:
            stands.pop()
    return Template("\n".join(kept) + "\n").substitute(names)
