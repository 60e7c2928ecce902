"""Compiling a definition: one Python function per kind, made of its expressions."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ..native import digest, dump
from ..schema import CourseEnrollment, Status
from .checks import Checker, static
from .dates import named_zone, printed
from .effort import bounded
from .fields import FIELDS, SURE, TAKE, addresses, members, printable
from .grammar import parse
from .mistakes import unknown
from .normalizer import Normalizer
from .results import Drift, Mapped, Rejected, Skipped
from .source import Source
from .status import NOWHERE, settle, word
from .values import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..native import JSON
    from .definition import Definition, Entry, Shape, Watch

__all__ = ["Body", "compile", "compile_expression", "source_of"]

_DEFAULTS = ("timezone", "pass_mark")  # every connection has them; core reads them where a mapping does not


def compile(definition: Definition, settings: Mapping[str, JSON] | None = None) -> Normalizer:
    """Make a definition ready to map records.

    Args:
        definition: What `load` gave.
        settings: The connection's settings that are no secrets; without any, `setting(name)` gives null.

    Raises:
        MappingError: It reads a setting that the connection does not have.
    """
    given = dict(settings or {})
    read = definition.settings()
    for name, entry in read.items():
        if given and name not in given and name not in _DEFAULTS:
            raise unknown("setting", name, given, file=entry.file, key=entry.key)
    seen = {name: given.get(name) for name in sorted({*read, *_DEFAULTS})}
    if (kept := given.get("remote_data", "full")) != "full":
        seen["remote_data"] = kept  # rows are stored by other rules: as if another mapping had made them
    kinds = {kind: (_identifier(shape, given), _mapper(shape, given)) for kind, shape in definition.kinds.items()}
    return Normalizer(digest(definition.digest + dump(seen)), kinds)


def compile_expression(text: str, *, file: str = "", key: str = "") -> Callable[[JSON], Any]:
    """Compile one expression: a function from a record to its value, null where JMESPath's interpreter would raise.

    Raises:
        MappingError: Bad syntax, an unknown function, a wrong argument, or a look at the time.
    """
    node = parse(text, file=file, key=key)
    Checker(file, key, clock=False).calls(node)
    bounded(node, file, key)
    source = Source({"timezone": "UTC"})
    source.file, source.field = file, key
    source.line("result = None")
    with source.guarded("result"):
        source.line(f"result = {source.value(node)}")
    source.line("return result")
    return source.compiled("expression", "record")


def source_of(settings: Mapping[str, JSON]) -> Source:
    """Give a writer of expressions that knows a connection's settings, and its zone."""
    zone = settings.get("timezone")
    return Source({"timezone": "UTC", **settings}, named_zone(zone) if isinstance(zone, str) else UTC)


def _identifier(shape: Shape, settings: Mapping[str, JSON]) -> Callable[..., Any]:
    body = Body(source_of(settings), shape)
    body.identity()
    body.source.line("return id")
    return body.source.compiled("identify", "record")


def _mapper(shape: Shape, settings: Mapping[str, JSON]) -> Callable[..., Any]:
    body = Body(source_of(settings), shape)
    body.steps()
    return body.source.compiled("normalize", "record, as_of, remote_data")


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
        source.names["new"] = tuple.__new__  # pyright: ignore[reportUnknownMemberType] - of any items
        names = {"Rejected": Rejected, "Skipped": Skipped, "Mapped": Mapped, "Drift": Drift, "Invalid": ValidationError}
        source.names |= names | {"unusable": _unusable, "invalid": _invalid, "clean": clean, "settle": settle}
        source.names["validate"] = CourseEnrollment.__pydantic_validator__.validate_python

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
            result = self.known[place] = source.fresh()
            with source.guarded(result):
                source.line(f"{result} = {source.value(entry.node)}")
            if type is not None and static(entry.node) not in SURE.get(type, ()):
                checked = source.convert(f"take_{type}", TAKE[type], [result])
                source.line(f"{result} = {checked}")
        return self.known[place]

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
        with source.block("try:"):
            source.line(f"{result} = {source.holds(entry.node)}")
        with source.block("except Exception as error:"):
            source.line(f"note(flaws, {source.field!r}, None, error)")
            source.line(f"{result} = {otherwise}")
        return result

    def _word(self, entry: Entry) -> str:
        found = self.take(entry)
        return self.source.convert("word", word, [found])

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
        source.line(f"native = {source.convert('word', word, [found])}")
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
            self.source.names["printed"] = printed
            self._set(name, f"printed({value})", value)
        elif given in ("any", "list", "object"):
            self._set(name, self.source.convert("printable", printable, [value]))
        elif given == "json":
            self._set(name, value, value, f" and ({value}.__class__ is not str or {value}.strip())")
        else:
            self._set(name, value)

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
        """The finished object, validated once."""
        source, values = self.source, self.values
        assigner = values["assigned_by.id"], values["assigned_by.name"]
        source.line("assigned_by = None")
        if assigner != ("None", "None"):
            with source.block(f"if {assigner[0]} is not None or {assigner[1]} is not None:"):
                source.line(f"assigned_by = {{'id': {assigner[0]}, 'name': {assigner[1]}}}")
        user = f"{{'id': {values['user.id']}, 'name': {values['user.name']}, 'emails': emails}}"
        course = f"{{'id': {values['course.id']}, 'title': {values['course.title']}}}"
        fixed = {"id": "id", "user": user, "course": course, "status": "status", "assigned_by": "assigned_by"}
        fixed |= {"urls": "urls", "custom_fields": "custom", "remote_data": "{}"}
        found = {name: fixed.get(name) or values[name] for name in CourseEnrollment.model_fields}
        members = ", ".join(f"{name!r}: {value}" for name, value in found.items() if value != "None")
        with source.block("try:"):
            source.line(f"enrollment = validate({{{members}}})")
        with source.block("except Invalid as error:"):
            source.line("return Rejected(invalid(error), id)")
        # pydantic would copy it; it has to stay the very object
        source.line("enrollment.__dict__['remote_data'] = remote_data")
        source.line("stale_at = min(ahead) if ahead else None")
        found = "enrollment, tuple(flaws) if flaws else (), tuple(drift) if drift else (), stale_at"
        source.line(f"return new(Mapped, ({found}))")  # a named tuple's own way is three times as slow
