"""An explanation as text: what came out, and below it, dimmed, what it was made of."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from rich.text import Text

from .columns import brief, columns, fill, grid, read_text, shown
from .screen import counted, moment, plain, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

    from ..mapping.explanation import Condition, Deadline, Explanation, Field, StatusSteps, Worked
    from .origin import Origin

__all__ = ["story"]

_SOME = 12  # keys of parts
_CALL = re.compile(r"\w+\([^()&|=<>!]*\)")  # of a place, and of what stands in no record
_COLOURS = {
    "completed": "green",
    "passed": "green",
    "failed": "red",
    "overdue": "red",
    "rejected": "red",
    "expired": "yellow",
    "withdrawn": "yellow",
    "unknown": "yellow",
    "skipped": "yellow",
}


def story(explanation: Explanation, origin: Origin) -> None:
    """Print an explanation."""
    say(_heading(explanation), _facts(explanation, origin))
    writer = _Writer(explanation, origin)
    sections = [
        ("Joined", _joins(origin)),
        ("Kept or left out", writer.decisions()),
        ("Status", writer.status()),
        ("Fields", writer.filled(custom=False)),
        ("Custom fields", writer.filled(custom=True)),
        ("Empty here", writer.empty(custom=False)),
        ("Custom fields, empty here", writer.empty(custom=True)),
    ]
    for title, rows in sections:
        if told := list(rows):
            say(Text(), Text(title, "bold"), grid(told))
    if missing := _missing(explanation):
        lms = origin.meaning.connector
        strategy = f" (strategy {lms.strategy})" if lms.strategy else ""
        say(Text(), Text(textwrap.fill(f"Not given by {lms.title}{strategy}: {missing}", columns())))


def _heading(explanation: Explanation) -> Text:
    status = explanation.status.status if explanation.status else explanation.outcome
    title = Text.assemble(
        (plain(explanation.id or "no id"), "bold"), "  ", (status, f"bold {_COLOURS.get(status, '')}")
    )
    if explanation.enrollment is None:
        return title.append(f": {plain(explanation.reason)}")
    user, course = explanation.enrollment["user"], explanation.enrollment["course"]
    who, what = user["name"] or user["id"], course["title"] or course["id"]
    return title.append(f"\n{plain(who or 'somebody')} in {plain(what or 'some course')}")


def _facts(explanation: Explanation, origin: Origin) -> Table:
    meaning = origin.meaning
    kind = f", kind {plain(explanation.kind)}" if explanation.kind else ""
    rows = [
        ("record", f"{origin.place}{kind}"),
        ("mapped by", f"{meaning.definition.file}, for {moment(explanation.as_of)}"),
        *(
            ("note", note)
            for note in (*origin.notes, *_changed(explanation, origin))
            if not _is_said(note, explanation)
        ),
    ]
    if origin.parts:
        more = ", ..." if len(origin.parts) > _SOME else ""
        rows.append(("folded from", f"{counted(len(origin.parts), 'part')}: {', '.join(origin.parts[:_SOME])}{more}"))
    return grid([(label, Text(fill(plain(text)))) for label, text in rows])


def _is_said(note: str, explanation: Explanation) -> bool:
    return explanation.outcome == "rejected" and note.endswith(f"rejected: {explanation.reason}")


def _changed(explanation: Explanation, origin: Origin) -> Iterator[str]:
    now = explanation.status.status if explanation.status else explanation.outcome
    if origin.status is not None and origin.status != now:
        yield f"stored as {origin.status}: by today's mapping and for this time it is {now}"


def _joins(origin: Origin) -> Iterator[tuple[str, Text]]:
    for one in origin.joins():
        if one.replaced:
            text = f"of {one.lookup}, in the place of its key" if one.found else f"nothing of {one.lookup}"
        elif one.keys is None:
            text = f"nothing of {one.lookup}: there is no key"
        else:
            text = f"of {one.lookup}, by the key {brief(one.keys)}{'' if one.found else ': not found there'}"
        yield one.into, Text(fill(text)).append(f"\n{fill(plain(one.on))}", "dim")


def _missing(explanation: Explanation) -> str:
    return ", ".join(field.name for field in explanation.fields if field.worked is None)


class _Writer:
    """Writes the rows of each section: a label, and a text of several lines."""

    def __init__(self, explanation: Explanation, origin: Origin) -> None:
        self._told = explanation
        self._file = origin.meaning.definition.file

    def decisions(self) -> Iterator[tuple[str, Text]]:
        """What could have left the record out, and which words are watched."""
        for one in self._told.decisions:
            if one.worked and not one.decides and not one.worked.flaws:
                yield one.name, self._passed("holds" if one.worked.value else "does not hold", one.worked)
            else:
                yield one.name, self._condition(one)
        for one in self._told.watched:
            label, value = f"drift.{one.name}", shown(one.worked.value)
            if one.drift:
                yield label, self._text(f"{value}: never heard of, counted as drift", one.worked, alarm=True)
            else:
                yield label, self._passed("none" if one.worked.value is None else f"{value}: known", one.worked)

    @staticmethod
    def _passed(text: str, worked: Worked) -> Text:
        """Tell of what made no difference: only what it read."""
        return Text(fill(text)).append(f"\n{fill(', '.join(map(read_text, worked.reads)))}", "dim")

    def _condition(self, one: Condition) -> Text:
        if one.worked is None:
            return Text("not asked", "dim")
        held = "holds" if one.worked.value else "does not hold"
        return self._text(f"{held}: {one.then}" if one.decides else held, one.worked)

    def status(self) -> Iterator[tuple[str, Text]]:
        """How the status was found."""
        steps = self._told.status
        if steps is None:
            return
        if steps.source is not None:
            yield "word", self._text(_word(steps), steps.source, alarm=not steps.known)
        for rule in steps.rules:
            yield rule.name, Text("rule ").append_text(self._condition(rule))
        yield "before deadlines", Text(f"{steps.base}, {_base(steps)}")
        for one in steps.deadlines:
            yield one.name, self._deadline(one, steps)
        if steps.stale_at is not None:
            by = f" ({', '.join(steps.stale_by)})" if steps.stale_by else ""
            after = f"{steps.after} after that" if steps.after != steps.status else "mapped again after that"
            yield "holds until", Text(fill(f"{moment(steps.stale_at)}{by}; {after}"))
        yield "status", Text(steps.status, f"bold {_COLOURS.get(steps.status, '')}")

    def _deadline(self, one: Deadline, steps: StatusSteps) -> Text:
        if one.effect == "none" and not one.worked.flaws:
            return self._passed("none", one.worked)
        return self._text(_deadline(one, steps), one.worked)

    def filled(self, *, custom: bool) -> Iterator[tuple[str, Text]]:
        """The fields with a value."""
        for field in self._of(custom=custom):
            if field.worked and not _is_empty(field):
                text = self._text(shown(field.worked.value), field.worked, field.note)
                yield field.name.removeprefix("custom_fields."), text

    def empty(self, *, custom: bool) -> Iterator[tuple[str, Text]]:
        """The fields without one, and why."""
        for field in self._of(custom=custom):
            if field.worked and _is_empty(field):
                yield field.name.removeprefix("custom_fields."), self._why(field.worked, field.note)

    def _of(self, *, custom: bool) -> Iterator[Field]:
        return (one for one in self._told.fields if one.name.startswith("custom_fields") is custom)

    def _why(self, worked: Worked, note: str) -> Text:
        if worked.flaws or note:
            return self._text("", worked, note)
        text = plain(worked.expression)
        lines = [text] if not worked.reads or any(read.value is not None for read in worked.reads) else []
        lines.append(", ".join(map(read_text, worked.reads)))  # alone where there was nothing to work with
        return Text("\n".join(map(fill, filter(None, lines))), "dim")

    def _text(self, value: str, worked: Worked, note: str = "", *, alarm: bool = False) -> Text:
        text = Text(fill(value), "yellow" if alarm else "")
        lines: list[tuple[str, str]] = []
        lines += [
            (f"flaw: {flaw.reason} (it is {flaw.type}: {plain(flaw.preview)})", "yellow") for flaw in worked.flaws
        ]
        if note:
            lines.append((note, ""))
        lines += [(line, "dim") for line in self._made(worked, value) if line]
        for line, style in lines:
            text.append("\n" if text else "").append(fill(line), style)
        return text

    def _made(self, worked: Worked, value: str) -> Iterator[str]:
        """Tell the expression, and what it read."""
        file = "" if worked.file in ("", self._file) else f"  [{plain(worked.file)}]"
        expression = plain(worked.expression)
        if len(worked.reads) != 1:
            yield f"{expression}{file}"
            yield ", ".join(map(read_text, worked.reads))
            return
        read = worked.reads[0]
        is_bare, is_call = read.path == worked.expression, _CALL.fullmatch(worked.expression)
        if read.there and shown(read.value) == value:
            yield f"{expression}{file}"
        elif read.there and (is_bare or is_call):
            yield f"{expression} {'is' if is_bare else 'of'} {brief(read.value)}{file}"
        else:
            yield f"{expression}{file}"
            yield read_text(read)


def _is_empty(field: Field) -> bool:
    value = field.worked.value if field.worked else None
    return value is None or value in ("", [], {}) or not field.stands


def _word(steps: StatusSteps) -> str:
    if steps.native is None:
        return "no word" if steps.known else "no text: unknown"
    word = plain(steps.native)
    if not steps.known:
        return f"{word}: never heard of, counted as drift"
    return f"{word} -> {steps.table}"


def _base(steps: StatusSteps) -> str:
    match steps.base_from:
        case "drift":
            return "as the word is not known"
        case "table":
            return "by the word"
        case "default":
            return "as nothing else says it"
        case name:
            return f"by the rule {name}"


def _deadline(one: Deadline, steps: StatusSteps) -> str:
    value = shown(one.worked.value)
    match one.effect, one.name:
        case "moved", "pass_mark":
            return f"{value}: is reached, so passed"
        case "moved", _:
            return f"{value}: is past, so {steps.status}"
        case "ahead", _:
            return f"{value}: still to come"
        case "none", _:
            return "none"
        case _, "pass_mark" if steps.base == "completed":
            return f"{value}: is not reached"
        case _:
            return f"{value}: does not matter for {steps.base}"
