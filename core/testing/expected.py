"""What is expected of a case: held against what was found, and rewritten if that is wanted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .delta import deltas, printable, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from .case import Case

__all__ = ["check_expected", "differences", "rewritten", "update_expected"]

rewritten: list[Path] = []
"""The files that this process has rewritten, in order; the pytest plug-in lists them for review."""

_OF_A_KIND = 3
"""So many differences of one kind are shown; the rest are counted."""
_SURROGATE = re.compile("[\ud800-\udfff]")


def check_expected(case: Case, found: Mapping[str, Any], *, update: bool = False) -> Path | None:
    """Hold what was found against what is expected.

    Args:
        case: The case.
        found: What `read_case` gave.
        update: Rewrite the file instead of failing.

    Returns:
        The file, if it was rewritten.

    Raises:
        AssertionError: They differ; the text says in what, enrollment by enrollment and field by field.
    """
    __tracebackhide__ = True
    lines = differences(case.found, found) if case.found else ["the file does not say yet what comes out"]
    if not lines:
        return None
    if update:
        return update_expected(case, found)
    where = f"{case.expected.name} and what was read differ:"
    hint = "If what was found is right, run again with --update-expected and review the changed file."
    raise AssertionError("\n".join([where, *(f"  {line}" for line in lines), hint]))


def update_expected(case: Case, found: Mapping[str, Any]) -> Path:
    """Write what was found into the file of what is expected, and keep what else it says."""
    # half a surrogate pair, which some LMSs send, is written as its escape: it is no character of any file
    text = _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", case.text(found))
    case.expected.write_text(text, encoding="utf-8", newline="\n")
    rewritten.append(case.expected)
    return case.expected


def differences(expected: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Tell in what two readings differ, in lines for people; empty if in nothing.

    Args:
        expected: `enrollments`, `skipped`, `rejected` and `drift` of a file of what is expected.
        found: The same from `read_case`.
    """
    wanted, came = _by_id(expected), _by_id(found)
    lines = [
        *_some([f"{printable(id)}: expected, but not found" for id in wanted if id not in came], "not found"),
        *_some([_surplus(id, one) for id, one in came.items() if id not in wanted], "not expected"),
    ]
    fields: dict[str, list[str]] = {}
    for id in (id for id in wanted if id in came):
        for path, one, other in deltas(wanted[id], came[id]):
            text = f"{printable(id)}  {printable(path)}: expected {shown(one)}, found {shown(other)}"
            fields.setdefault(re.sub(r"\[\d+\]", "[]", path), []).append(text)
    for path, several in fields.items():
        lines += _some(several, f"differ in {printable(path)}")
    for what in ("skipped", "rejected", "drift"):
        lines += _some(list(_counted(what, _counts(what, expected), _counts(what, found))), f"differ in {what}")
    return lines


def _by_id(reading: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {str(one.get("id")): one for one in reading.get("enrollments") or ()}


def _surplus(id: str, one: Mapping[str, Any]) -> str:
    course: dict[str, Any] = one.get("course") or {}
    status, title = shown(one.get("status")), shown(course.get("title"))
    return f"{printable(id)}: found, but not expected (status {status}, course {title})"


def _some(lines: list[str], what: str) -> list[str]:
    rest = len(lines) - _OF_A_KIND
    return lines if rest <= 1 else [*lines[:_OF_A_KIND], f"... and {rest} more {what}"]


def _counts(what: str, reading: Mapping[str, Any]) -> dict[str, int]:
    """Give each thing that was counted, by its name for people."""
    found: Any = reading.get(what) or ()
    if what == "skipped":
        return {str(reason): count for reason, count in dict(found).items()}
    if what == "drift":
        return {f"{kind} {word!r}": count for kind, word, count in found}
    counts: dict[str, int] = {}
    for one in found:
        name = f"{one.get('id') or 'a record without an id'} ({one.get('reason')})"
        counts[name] = counts.get(name, 0) + 1
    return counts


def _counted(what: str, expected: Mapping[str, int], found: Mapping[str, int]) -> Iterator[str]:
    for name in dict.fromkeys((*expected, *found)):
        one, other = expected.get(name, 0), found.get(name, 0)
        if one != other:
            yield f"{what} {printable(name)}: expected {one}, found {other}"
