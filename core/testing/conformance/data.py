"""Promises about data: native records as they came, and no secret or learner where they do not belong."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from ...native import parse
from . import faults
from .harm import harms
from .promise import Promises, broken, few

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ...native import JSON
    from .readings import Reading
    from .trial import Trial

__all__ = ["DataPromises"]

LARGE = 2**53
"""Beyond this a number that went through a float is another one."""
SHORTEST = 5
"""A shorter name is part of too many words to be looked for."""
MADE_UP = re.compile(r"made-up-\S+")
"""How secrets in recordings are spelled."""
TOKENS = frozenset({"access_token", "refresh_token", "id_token"})


class DataPromises(Promises):
    """`remote_data`, secrets, learners."""

    def test_remote_data_is_the_native_record(self, trial: Trial) -> None:
        """`remote_data` is what the connector gave, joined and without live credentials, to the last digit."""
        __tracebackhide__ = True
        synced = trial.synced
        if trial.whole.changed:
            broken(
                trial.name,
                f"remote_data of {few(trial.whole.changed)} changes after it was given",
                "Give new objects in each page, and do not change them afterwards.",
            )
        for id, text in trial.whole.found.items():
            one: Any = parse(text)
            natives = {native.text for native in trial.natives.get(id, [])}
            given = synced.remote.get(id, "")
            if given not in natives:
                broken(
                    trial.name,
                    f"remote_data of {id!r} is not the record that `pages` gave",
                    "Give new objects in each page, and do not change them afterwards; `fold` is pure.",
                )
            if not given or repr(parse(given)) != repr(one["remote_data"]):
                broken(
                    trial.name,
                    f"remote_data of {id!r} is not what is stored",
                    "Give records of JSON values only, and do not change them afterwards.",
                )
            if inexact := _inexact(trial, one["remote_data"]):
                broken(
                    trial.name,
                    f"remote_data of {id!r} holds the number {inexact[0]}, which the LMS never sent",
                    "Read numbers with `answer.json()`, and do no arithmetic on them.",
                )

    def test_no_live_credential_is_in_remote_data(self, trial: Trial) -> None:
        """No secret of the settings, no token, and nothing under a key that `credentials` names is in an enrollment."""
        __tracebackhide__ = True
        secrets = _secrets(trial)
        for id, text in trial.whole.found.items():
            if any(secret in text for secret in secrets):
                broken(
                    trial.name,
                    f"the enrollment {id!r} holds a secret",
                    "Name its key in `credentials`, or leave it out of the record.",
                )

    def test_no_secret_is_told(self, trial: Trial) -> None:
        """No secret is in a log, an error, a finding or a report: neither in a reading nor under any fault."""
        __tracebackhide__ = True
        secrets = _secrets(trial)
        for what, texts in _told(trial):
            if any(secret in text for text in texts for secret in secrets):
                broken(trial.name, f"a secret stands in {what}", "Log and raise names, ids and statuses, never values.")
        report = trial.synced.report
        findings = trial.whole.findings
        for what, text in (("the report of the sync", repr(report)), ("the findings", repr(findings))):
            if any(secret in text for secret in secrets):
                broken(trial.name, f"a secret stands in {what}", "Name its key in `credentials`.")

    def test_no_learner_is_named_in_logs_and_errors(self, trial: Trial) -> None:
        """No learner's name or e-mail address is in a log or an error: neither in a reading nor under any fault."""
        __tracebackhide__ = True
        people = _people(trial)
        for what, texts in _told(trial):
            if any(word in text for text in texts for word in people):
                broken(
                    trial.name,
                    f"a learner's name or e-mail address stands in {what}",
                    "Log and raise ids and statuses, never an answer's text. Where an address is in a path, ask by id.",
                )


def _secrets(trial: Trial) -> set[str]:
    """Give the secrets of a case: of its settings, and of recorded answers what is called or spelled like one."""
    values = {str(trial.case.settings.get(name) or "") for name in trial.kind.Settings.secrets()}
    keys = TOKENS | trial.kind.credentials
    for one in trial.har.exchanges:
        if one.content.lstrip()[:1] in (b"{", b"["):
            found = ((name, value) for name, value in _members(parse(one.content)) if isinstance(value, str))
            values |= {value for name, value in found if name in keys or MADE_UP.fullmatch(value)}
    return {value for value in values if len(value) >= SHORTEST}


def _people(trial: Trial) -> set[str]:
    words: set[str] = set()
    for text in trial.whole.found.values():
        user: Any = cast("dict[str, Any]", parse(text))["user"]
        words |= {user["name"] or "", *(email["email"] for email in user["emails"])}
    return {word for word in words if len(word) >= SHORTEST}


def _told(trial: Trial) -> Iterator[tuple[str, list[str]]]:
    """Give everything that readings say, with what they are."""
    for what, reading in _readings(trial):
        yield f"the log of {what}", reading.log
        yield f"an error of {what}", [text for error in reading.errors for text in _texts(error)]
    text, error, _, log = trial.check()
    yield "the log of a check", log
    yield "what a check finds", [text, *(_texts(error) if error else ())]
    for id in [*trial.whole.found][:1]:
        _, error, _, log = trial.single(id)
        yield "the log of a single reading", log
        yield "an error of a single reading", list(_texts(error)) if error else []


def _readings(trial: Trial) -> Iterator[tuple[str, Reading]]:
    yield "a reading", trial.whole
    always = (faults.REFUSED, faults.REFUSED_ONCE, faults.WITHHELD, faults.NOT_FOUND, faults.FOR_EVER)
    passing = (faults.THROTTLED, faults.ONCE_500, faults.TIME_OUT, faults.CUT)
    for fault in (*always, *passing):
        yield from ((f"a reading with {fault.name}", harm.reading) for harm in harms(trial, fault))
    for fault in (faults.HTML, faults.MALFORMED, faults.TRUNCATED, faults.ODD_BODY):
        yield from ((f"a reading with {fault.name}", harm.reading) for harm in harms(trial, fault, json_only=True))
    for harm in harms(trial, faults.EMPTY_BODY, filled_only=True):
        yield f"a reading with {faults.EMPTY_BODY.name}", harm.reading


def _texts(error: BaseException) -> Iterable[str]:
    """Give all that a traceback shows of an error, and of those behind it."""
    seen: BaseException | None = error
    while seen is not None:
        yield from (str(seen), repr(seen), repr(getattr(seen, "__notes__", "")), getattr(seen, "hint", ""))
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)


def _members(value: JSON) -> Iterator[tuple[str, JSON]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield name, item
            yield from _members(item)
    elif isinstance(value, list):
        for item in value:
            yield from _members(item)


def _numbers(value: JSON) -> set[str]:
    """Give the large numbers of a JSON value, as they are written."""
    found: set[str] = set()
    for item in (value, *(item for _, item in _members(value)), *_items(value)):
        if isinstance(item, (int, float)) and not isinstance(item, bool) and abs(item) >= LARGE:
            found.add(repr(item))
    return found


def _items(value: JSON) -> Iterator[JSON]:
    if isinstance(value, list):
        for item in value:
            yield item
            yield from _items(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _items(item)


def _inexact(trial: Trial, remote: JSON) -> list[str]:
    """Give large numbers of a native record that no recorded answer holds."""
    mine = _numbers(remote)
    if not mine:
        return []
    sent: set[str] = set()
    for one in trial.har.exchanges:
        if one.content.lstrip()[:1] in (b"{", b"["):
            sent |= _numbers(parse(one.content))
    return sorted(mine - sent)
