"""The steps from a record to its enrollment, written as the body of one Python function."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ..schema import CourseEnrollment, Status
from .checks import static
from .dates import named_zone, printed, reprinted
from .fields import FIELDS, FITS, QUICK, SURE, TAKE, addresses, members, printable
from .finished import validated
from .proof import may_raise, proven
from .results import Drift, Mapped, Rejected, Skipped
from .source import Source
from .status import NOWHERE, settle, word, words
from .values import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..native import JSON
    from .definition import Entry, Shape, Watch
    from .grammar import Node

__all__ = ["Body", "source_of"]


def source_of(settings: Mapping[str, JSON]) -> Source:
    """Give a writer of expressions that knows a connection's settings, and its zone."""
    zone = settings.get("timezone")
    return Source({"timezone": "UTC", **settings}, named_zone(zone) if isinstance(zone, str) else UTC)


def _unusable(flaws: list[Any]) -> str:
    return f"no usable id: {flaws[-1].reason}" if flaws else "no id"


def _invalid(error: ValidationError) -> str:
    places = sorted({".".join(map(str, item["loc"])) for item in error.errors(include_url=False, include_input=False)})
    return f"not valid: {', '.join(places)}"


class Body:
    """Writes the steps from a record to its enrollment."""

    def __init__(self, source: Source, shape: Shape) -> None:
        self.source = source
        self.shape = shape
        self.values: dict[str, str] = {}
        self.known: dict[tuple[Any, str | None], str] = {}
        self.doubts: list[str] = []
        """Conditions under which the finished values are known to fit the schema."""
        source.names["new"] = tuple.__new__  # pyright: ignore[reportUnknownMemberType] - of any items
        names = {"Rejected": Rejected, "Skipped": Skipped, "Mapped": Mapped, "Drift": Drift}
        source.names |= names | {"unusable": _unusable, "clean": clean, "settle": settle}

    def steps(self) -> None:
        """All of them."""
        self.identity()
        self.selection()
        self.fields()
        self.status()
        self.custom_fields()
        self.result()

    def take(self, entry: Entry | None, type: str | None = None) -> str:
        """Write what works an entry out and takes it into a field of the type; give the name of its value."""
        if entry is None:
            return "None"
        place = entry.node, type
        if place not in self.known:
            source = self.source
            source.file, source.field = entry.file, entry.key
            result = self._worked_out(entry.node)
            if type is not None:
                sure = static(entry.node) in SURE.get(type, ())
                if not sure:
                    result = source.convert(f"take_{type}", TAKE[type], [result], quick=QUICK.get(type, ""))
                if not (proven(entry.node) if sure else type != "datetime"):
                    self.doubts.append(FITS.get(type, FITS["text"]).format(result))
            self.known[place] = result
        return self.known[place]

    def _worked_out(self, node: Node) -> str:
        source = self.source
        if not may_raise(node):
            return source.value(node)
        result = source.fresh()
        with source.guarded(result):
            source.line(f"{result} = {source.value(node)}")
        return result

    def identity(self) -> None:
        """The id, or an end to it."""
        self.source.line(f"id = {self.take(self.shape.fields['id'], 'id')}")
        with self.source.block("if id is None:"):
            self.source.line("return Rejected(unusable(flaws), None)")

    def selection(self) -> None:
        """What is skipped, and which words are watched."""
        for name, entry in self.shape.skip.items():
            with self.source.block(f"if {self._holds(entry, otherwise=False)}:"):
                self.source.line(f"return Skipped({name!r}, id)")
        if self.shape.keep:
            with self.source.block(f"if not {self._holds(self.shape.keep, otherwise=True)}:"):
                self.source.line("return Skipped('not kept', id)")
        for watch in self.shape.watches:
            self._watch(watch)

    def _holds(self, entry: Entry, *, otherwise: bool) -> str:
        source = self.source
        source.file, source.field = entry.file, entry.key
        result = source.fresh()
        if not may_raise(entry.node):
            source.line(f"{result} = {source.holds(entry.node)}")
            return result
        with source.block("try:"):
            source.line(f"{result} = {source.holds(entry.node)}")
        with source.block("except Exception as error:"):
            source.line(f"note(flaws, {source.field!r}, None, error)")
            source.line(f"{result} = {otherwise}")
        return result

    def _word(self, entry: Entry) -> str:
        found = self.take(entry)
        return self._as_word(found)

    def _as_word(self, found: str) -> str:
        self.source.names["words"] = words
        return self.source.convert("word", word, [found], quick="words[{0}] if {0}.__class__ is str else word({0})")

    def _watch(self, watch: Watch) -> None:
        source = self.source
        found = self._word(watch.source)
        with source.block(f"if {found} is None:"):
            # an unreadable one was noted as a flaw already
            source.line(f"drift.append(Drift({watch.name!r}, '(missing)'))" if watch.missing else "pass")
        with source.block(f"elif {found}.lower() not in {source.bind(watch.known)}:"):
            source.line(f"drift.append(Drift({watch.name!r}, {found}[:80]))")

    def fields(self) -> None:
        """Every single value, addresses and links."""
        for key, kind in FIELDS.items():
            if key != "id":
                self.values[key] = self.take(self.shape.fields.get(key), kind)
        self._emails()
        self.source.line("urls = []")
        for kind, entry in self.shape.urls.items():
            value = self.take(entry, "url")
            with self.source.block(f"if {value} is not None:"):
                self.source.line(f"urls.append({{'url': {value}, 'type': {None if kind == '_' else kind!r}}})")

    def _emails(self) -> None:
        source, emails = self.source, self.shape.emails
        kinds = [kind for kind in emails if kind != "login"]
        if len(kinds) > 1 or any(static(entry.node) != "email" for entry in emails.values()):
            pairs = "".join(
                f"({None if kind == '_' else kind!r}, {self.take(entry, 'email')}), " for kind, entry in emails.items()
            )
            source.names["addresses"] = addresses
            with source.guarded("emails"):
                source.line(f"emails = addresses(({pairs}))")
            source.line("emails = emails or []")
            return
        source.line("emails = []")
        for kind in [*kinds, *(emails.keys() - kinds)]:  # a login only where there is no other
            with source.block("if not emails:"):
                known = dict(self.known)
                value = self.take(emails[kind], "email")
                self.known = known  # not worked out for every record
                named = repr(None if kind == "_" else kind)
                with source.block(f"if {value} is not None:"):
                    source.line(f"emails.append({{'email': {value}, 'type': {named}, 'is_primary': True}})")

    def status(self) -> None:
        """The base of the ladder: the word, the rules, the table; then what core lays over it."""
        source, ladder = self.source, self.shape.ladder
        unknown_, default = source.bind(Status.UNKNOWN), source.bind(ladder.default)
        source.line("native = base = None")
        source.line("drifted = False")
        if ladder.source:
            self._table(ladder.source, source.bind(dict(ladder.values or {})), unknown_)
        with source.block("while not drifted:"):  # at most once: it is what `break` leaves
            for rule in ladder.rules:
                with source.block(f"if {self._holds(rule.when, otherwise=False)}:"):
                    source.line(f"base = {source.bind(rule.then)}")
                    source.line("break")
            with source.block("if base is None:"):
                source.line(f"base = {default}")
            source.line("break")
        valid, access = self.take(ladder.valid_until, "datetime"), self.take(ladder.access_ends_at, "datetime")
        mark = self.take(ladder.pass_mark, "number") if "score" in self.shape.fields else "None"
        self.values |= {"valid_until": valid, "access_ends_at": access}
        due, score = self.values["due_at"], self.values["score"]
        source.line(f"status, aside = settle(base, as_of, ahead, {valid}, {access}, {due}, {score}, {mark})")

    def _table(self, entry: Entry, values: str, unknown_: str) -> None:
        source = self.source
        found = self.take(entry)
        source.file, source.field = entry.file, entry.key
        source.line(f"native = {self._as_word(found)}")
        with source.block("if native is not None:"):
            source.line(f"base = {values}.get(native.lower())")
            with source.block("if base is None:"):
                source.line(f"base, drifted = {unknown_}, True")
                source.line("drift.append(Drift('status', native[:80]))")
        with source.block(f"elif {found} is not None and not isinstance({found}, str):"):
            source.line(f"base, drifted = {unknown_}, True")  # a list or an object: noted as a flaw

    def custom_fields(self) -> None:
        """The spread, the named ones, and those that core adds."""
        source, shape = self.source, self.shape
        source.line("custom = {}")
        if "*" in shape.custom_fields:
            found = source.convert("members", members, [self.take(shape.custom_fields["*"])])
            with source.block(f"if {found}:"):
                source.line(f"custom.update({found})")
        for name, entry in shape.custom_fields.items():
            if name != "*":
                self._custom(name, entry)
        if self._adds("native_status"):
            self._set("native_status", "native")
        for name in ("access_ends_at", "valid_until"):
            if self._adds(name) and self.values[name] != "None":
                source.names["printed"] = printed
                self._set(name, f"printed({self.values[name]})", self.values[name])
        self._completed()

    def _adds(self, name: str) -> bool:
        return name not in self.shape.custom_fields and name not in self.shape.off

    def _custom(self, name: str, entry: Entry) -> None:
        value, given = self.take(entry), static(entry.node)
        if given == "datetime":
            self._set(name, self._printed(entry.node, value), value)
        elif given in ("any", "list", "object"):
            self._set(name, self.source.convert("printable", printable, [value]))
        elif given == "json":
            self._set(name, value, value, f" and ({value}.__class__ is not str or {value}.strip())")
        else:
            self._set(name, value)

    def _printed(self, node: Node, value: str) -> str:
        source = self.source
        source.names |= {"printed": printed, "reprinted": reprinted}
        if node.type != "function_expression" or node.value != "datetime":
            return f"printed({value})"
        given = node.children[0]
        if any(inner.type not in ("field", "subexpression") for inner in given.walk()):
            return f"printed({value})"
        return f"reprinted({source.value(given)}, {value})"

    def _set(self, name: str, text: str, value: str | None = None, condition: str = "") -> None:
        with self.source.block(f"if {value or text} is not None{condition}:"):
            self.source.line(f"custom[{name!r}] = {text}")

    def _completed(self) -> None:
        value = self.values["completed_at"]
        if value == "None":
            return
        source = self.source
        source.names["printed"] = printed
        result = self.values["completed_at"] = source.fresh()
        source.line(f"{result} = {value}")
        with source.block(f"if {value} is not None and aside:"):
            source.line(f"{result} = None")
            off = source.bind(frozenset((NOWHERE, *self.shape.off)))
            with source.block(f"if aside not in {off}:"):
                source.line(f"custom.setdefault(aside, printed({value}))")

    def result(self) -> None:
        """The finished values: validated only if it is not known that they fit."""
        source, values = self.source, self.values
        assigner = values["assigned_by.id"], values["assigned_by.name"]
        source.line("assigned_by = None")
        if assigner != ("None", "None"):
            with source.block(f"if {assigner[0]} is not None or {assigner[1]} is not None:"):
                source.line(f"assigned_by = {{'id': {assigner[0]}, 'name': {assigner[1]}}}")
        user = f"{{'id': {values['user.id']}, 'name': {values['user.name']}, 'emails': emails}}"
        course = f"{{'id': {values['course.id']}, 'title': {values['course.title']}}}"
        fixed = {"id": "id", "user": user, "course": course, "status": "status", "assigned_by": "assigned_by"}
        fixed |= {"urls": "urls", "custom_fields": "custom"}
        names = [name for name in CourseEnrollment.model_fields if name != "remote_data"]
        members = ", ".join(f"{name!r}: {fixed.get(name) or values[name]}" for name in names)
        source.line(f"values = {{{members}}}")
        if self.doubts:
            self._validated(" and ".join(dict.fromkeys(self.doubts)))
        source.line("stale_at = min(ahead) if ahead else None")
        found = "values, remote_data, tuple(flaws) if flaws else (), tuple(drift) if drift else (), stale_at"
        source.line(f"return new(Mapped, ({found}))")  # a named tuple's own way is three times as slow

    def _validated(self, fit: str) -> None:
        source = self.source
        source.names |= {"Invalid": ValidationError, "invalid": _invalid, "validated": validated, "UTC": UTC}
        with source.block(f"if not ({fit}):"):
            with source.block("try:"):
                source.line("values = validated(values)")
            with source.block("except Invalid as error:"):
                source.line("return Rejected(invalid(error), id)")
