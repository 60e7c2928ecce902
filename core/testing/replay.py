"""Replay: a recording in place of the network, so that a connector can be tested without one."""

from __future__ import annotations

from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ..errors import RollbookError, SettingsError, UnknownName
from .match import asked, described, nearest, same

# httpx, respx and all that reads are imported when they are used: pytest loads this module wherever rollbook is
# installed, and a recording can be read without respx.
if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterable
    from pathlib import Path

    import httpx

    from ..api import Lms
    from .case import Case
    from .har import Exchange

__all__ = ["Recording", "found_by", "nearest", "open_case", "read_case", "replay"]

_DROPPED = {"content-encoding", "content-length", "transfer-encoding"}  # the recorded body is already decompressed
_READ = "read"
_SHOWN = 5
"""So many requests are shown; the rest are counted."""


class Recording:
    """A recording that answers: each recorded answer once, in order, to the request it was recorded for."""

    def __init__(self, exchanges: Iterable[Exchange], *, secrets: Collection[str] = ()) -> None:
        self._all = tuple(exchanges)
        # what the whole reading asks for is given first; what else asks for the same comes after it
        self._left = sorted(self._all, key=lambda one: one.use != _READ)
        self.secrets = set(secrets)
        """Kept out of messages, unless they are made up."""
        self.unexpected: list[str] = []
        """Requests that were not recorded, each with the nearest recorded one and what differs."""
        self.made: list[str] = []
        """Requests that were answered."""

    @property
    def unused(self) -> list[str]:
        """Recorded requests that reading makes, but that were never made."""
        return [described(one, self.secrets) for one in self._left if one.use == _READ]

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Give the recorded answer, or a 400 and a note in `unexpected`."""
        import httpx  # noqa: PLC0415

        one = asked(request)
        for exchange in self._left:
            if same(exchange, one):
                self._left.remove(exchange)
                self.made.append(described(one, self.secrets))
                headers = [(name, value) for name, value in exchange.headers if name.lower() not in _DROPPED]
                return httpx.Response(exchange.status, headers=headers, content=exchange.content)
        again = any(same(exchange, one) for exchange in self._all)
        # of two that are as near, the one that waits for its request is the likelier mistake
        candidates = [one] if again else [*self._left, *self._all]
        self.unexpected.append(nearest(one, candidates, secrets=self.secrets))
        return httpx.Response(400, json={"rollbook": "this request was not recorded"})

    def problems(self, *, strict: bool = True) -> list[str]:
        """Tell what did not fit: requests that were not recorded; if strict, recorded ones that were not made."""
        problems = _some("not recorded", self.unexpected)
        return problems + (_some("recorded, but never asked for", self.unused) if strict else [])


@contextmanager
def replay(path: Path, *, strict: bool = True, secrets: Collection[str] = ()) -> Generator[Recording]:
    """Mount a recording on respx: every request of httpx is answered from it.

    Args:
        path: A HAR file.
        strict: Whether recorded exchanges that were never asked for are an error. Those that say `_use` (a single
            read, a check, an incremental run) may be asked for, but need not.
        secrets: Kept out of messages, unless they begin with `made-up`.

    Raises:
        AssertionError: At its end, if a request was not recorded or a recorded one was never made. Also in place of
            an error inside, if a request was not recorded: that is why.
    """
    import respx  # noqa: PLC0415

    from .har import load_har  # noqa: PLC0415

    __tracebackhide__ = True
    recording = Recording(load_har(path).exchanges, secrets=secrets)
    with respx.mock(assert_all_called=False) as router, _verified(recording, path.name, strict=strict):
        router.route().mock(side_effect=recording.answer)
        yield recording


@contextmanager
def _verified(recording: Recording, name: str, *, strict: bool = True) -> Generator[None]:
    __tracebackhide__ = True
    try:
        yield
    except Exception:
        if recording.unexpected:  # which is why, whatever came of it
            raise AssertionError(_told(name, recording.problems(strict=False))) from None
        raise
    if problems := recording.problems(strict=strict):
        raise AssertionError(_told(name, problems))


@contextmanager
def open_case(case: Case, transport: httpx.AsyncBaseTransport | None = None) -> Generator[Lms]:
    """Open the connection of a case: its settings, mapping, sample and instant; nothing ever waits.

    Args:
        case: The case.
        transport: What answers, if not whatever httpx is mounted on.

    Raises:
        SettingsError: The case does not name its connector, or its settings are wrong.
    """
    import asyncio  # noqa: PLC0415

    from ..api import AsyncLms, Lms  # noqa: PLC0415
    from ..connection import open_connection  # noqa: PLC0415
    from ..http import no_waits, stand_in_keys  # noqa: PLC0415
    from ..registry import find  # noqa: PLC0415

    if not case.connector:
        hint = 'Write "connector": "..." into it.'
        raise SettingsError("it does not say which connector reads this", where=case.expected.name, hint=hint)
    try:
        find(case.connector)
    except UnknownName as error:
        error.hint += " If it is your own, import its module in the test or in conftest.py."
        raise
    with TemporaryDirectory(prefix="rollbook_") as folder:  # tokens that are exchanged begin anew each time
        with no_waits(), stand_in_keys():
            connection = open_connection(
                case.name,
                case.connector,
                {**case.settings, "concurrency": 1},  # in the same order each time
                override=case.mapping,
                override_file=case.expected.name,
                vault=f"{folder}/vault",
                transport=transport,
                sample=case.sampled() if case.sample else None,
            )
        lms = Lms(AsyncLms(connection, lambda: case.as_of), asyncio.Runner())
        try:
            yield lms
        finally:
            lms.close()


def read_case(case: Case, transport: httpx.AsyncBaseTransport | None = None) -> dict[str, Any]:
    """Read all that a case holds.

    Args:
        case: The case.
        transport: What answers in place of the recording; if it has a list `unexpected`, that must stay empty. None:
            the recording itself, strictly, without respx.

    Returns:
        `enrollments`, `skipped`, `rejected` and `drift`, as in the file of what is expected.

    Raises:
        AssertionError: A part could not be read, or the recording does not fit.
        SettingsError: The case does not name its connector, or its settings are wrong.
    """
    import httpx  # noqa: PLC0415

    __tracebackhide__ = True
    if transport is None:
        recording = Recording(case.load().exchanges)
        with _verified(recording, case.har.name), open_case(case, httpx.MockTransport(recording.answer)) as lms:
            recording.secrets |= lms.connection.settings.secret_values()
            return found_by(lms)
    unexpected: list[str] = getattr(transport, "unexpected", [])
    try:
        with open_case(case, transport) as lms:
            found = found_by(lms)
    except AssertionError:
        if not unexpected:
            raise
        found = {}
    if unexpected:
        raise AssertionError(_told(case.har.name, _some("not recorded", unexpected)))
    return found


def found_by(lms: Lms) -> dict[str, Any]:
    """Read everything, and give it as the file of what is expected holds it: in an order that is always the same.

    Raises:
        AssertionError: A part could not be read.
    """
    __tracebackhide__ = True
    try:
        enrollments = [one.model_dump(mode="json") for one in lms.enrollments()]
    except RollbookError as error:
        failures = [f"{key}: {type(one).__name__}: {one}" for key, one in lms.findings.failures.items()]
        what = f"{len(failures)} partition(s) could not be read" if failures else "reading stopped"
        raise AssertionError(_told(what, failures or [f"{type(error).__name__}: {error}"])) from None
    findings = lms.findings
    rejected = sorted(findings.rejected, key=lambda one: (one.id or "", one.reason))
    return {
        "enrollments": sorted(enrollments, key=lambda one: one["id"]),
        "skipped": dict(sorted(findings.skipped.items())),
        "rejected": [{"id": one.id, "reason": one.reason} for one in rejected],
        "drift": sorted([what, word, count] for (what, word), count in findings.drift.items()),
    }


def _some(what: str, requests: list[str]) -> list[str]:
    several = list(dict.fromkeys(requests))  # a request that was tried again is one problem
    rest = len(several) - _SHOWN
    lines = [f"{what}: {one}" for one in (several if rest <= 1 else several[:_SHOWN])]
    return lines if rest <= 1 else [*lines, f"... and {rest} more"]


def _told(what: str, lines: list[str]) -> str:
    return f"{what}:\n" + "\n".join(lines)
