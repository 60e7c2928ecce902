"""Replay: a recording in place of the network, so that a connector can be tested without one."""

from __future__ import annotations

import difflib
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import httpx
import respx

from .har import Exchange, load_har

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

_DROPPED = {"content-encoding", "content-length", "transfer-encoding"}  # the recorded body is already decompressed


class Recording:
    """A mounted recording: gives each recorded answer once, in order, to the request it was recorded for."""

    def __init__(self, exchanges: tuple[Exchange, ...]) -> None:
        self._left = list(exchanges)
        self.unexpected: list[str] = []
        """Requests that were not recorded, each with the nearest recorded one."""
        self.made: list[str] = []
        """Requests that were answered."""

    @property
    def unused(self) -> list[str]:
        """Recorded requests that were never made."""
        return [_shown(one.method, one.place, one.query, one.form) for one in self._left]

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Give the recorded answer, or a 400 and a note in `unexpected`."""
        asked = _asked(request)
        shown = _shown(asked.method, asked.place, asked.query, asked.form)
        for exchange in self._left:
            if _same(exchange, asked):
                self._left.remove(exchange)
                self.made.append(shown)
                headers = [(name, value) for name, value in exchange.headers if name.lower() not in _DROPPED]
                return httpx.Response(exchange.status, headers=headers, content=exchange.content)
        near = difflib.get_close_matches(shown, self.unused, n=1, cutoff=0.0)
        self.unexpected.append(f"{shown}\n  nearest recorded: {near[0] if near else 'none is left'}")
        return httpx.Response(400, json={"rollbook": "this request was not recorded"})


@contextmanager
def replay(path: Path, *, strict: bool = True) -> Generator[Recording]:
    """Mount a recording on respx: every request of httpx is answered from it.

    Args:
        path: A HAR file.
        strict: Whether recorded exchanges that were never asked for are an error.

    Raises:
        AssertionError: At its end, if a request was not recorded or a recorded one was never made.
    """
    recording = Recording(load_har(path).exchanges)
    with respx.mock(assert_all_called=False) as router:
        router.route().mock(side_effect=recording.answer)
        yield recording
    problems = [f"not recorded: {one}" for one in recording.unexpected]
    if strict:
        problems += [f"recorded, but never asked for: {one}" for one in recording.unused]
    if problems:
        raise AssertionError(f"{path.name}:\n" + "\n".join(problems))


def _asked(request: httpx.Request) -> Exchange:
    is_form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    text = request.content.decode("utf-8", "replace")
    form = tuple(sorted(parse_qsl(text, keep_blank_values=True))) if is_form else ()
    return Exchange(request.method, str(request.url), form, "" if is_form else text, 0, (), b"")


def _same(one: Exchange, other: Exchange) -> bool:
    return (one.method, one.place, one.query, one.form, one.body) == (
        other.method,
        other.place,
        other.query,
        other.form,
        other.body,
    )


def _shown(method: str, place: str, query: tuple[tuple[str, str], ...], form: tuple[tuple[str, str], ...]) -> str:
    pairs = [f"{name}={value}" for name, value in (*query, *form)]
    return f"{method} {place}" + (f" [{' '.join(pairs)}]" if pairs else "")
