"""Writing a Python function line by line: blocks, names, and quick reads of a record's members.

Only names that are made here and `repr` of texts enter the source; every other value is bound to a name. A mapping
can therefore not say anything in Python, whatever it holds.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from .effort import BUDGET, LONG, METER, spend
from .mistakes import mistake
from .runtime import before, coming, note, usable

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

__all__ = ["Writer"]

DEEPEST = 60
"""The most blocks inside each other; Python itself ends at 100."""

_NOTHING: dict[str, Any] = {}


class Writer:
    """The body of one function in the making."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {
            "before": before,
            "BUDGET": BUDGET,
            "LONG": LONG,
            "meter": METER,
            "spend": spend,
            "coming": coming,
            "note": note,
            "usable": usable,
            "nothing": _NOTHING.get,
        }
        self.file = ""
        self.field = ""
        """Where the expression that is being written stands: for flaws and mistakes."""
        self.head = ["    flaws, drift, ahead = [], [], []", "    meter.left = BUDGET"]
        self.body: list[str] = []
        self.indent = 1
        self._count = 0
        self._members: dict[tuple[str, ...], str] = {}
        self._getters: dict[tuple[str, ...], str] = {}
        self._bound: dict[Any, str] = {}
        self.done: dict[tuple[str, ...], str] = {}
        """Conversions that have been worked out wherever the next line is reached, with the names of what they gave."""
        self.paths: dict[str, tuple[str, ...]] = {"record": ()}

    def line(self, text: str) -> None:
        """Write a line at the present depth."""
        self.body.append("    " * self.indent + text)

    @contextmanager
    def block(self, text: str) -> Generator[None]:
        """Write a line that opens a block, and indent what follows."""
        self.line(text)
        self.deeper()
        start, done = len(self.body), dict(self.done)
        yield
        if len(self.body) == start:
            self.line("pass")
        self.indent -= 1
        self.done = done

    def deeper(self) -> None:
        """Indent what follows."""
        self.indent += 1
        if self.indent > DEEPEST:
            raise mistake("the expression is nested too deeply", file=self.file, key=self.field)

    def fresh(self) -> str:
        """Give a new name."""
        self._count += 1
        return f"v{self._count}"

    def bind(self, value: Any) -> str:
        """Give a name that stands for a value from outside."""
        key = value.__class__, repr(value) if isinstance(value, (str, int, float)) else id(value)
        if key not in self._bound:
            name = self._bound[key] = f"c{len(self.names)}"
            self.names[name] = value
        return self._bound[key]

    def compiled(self, name: str, parameters: str) -> Callable[..., Any]:
        """Compile what was written into a function."""
        text = "\n".join([f"def {name}({parameters}):", *self.head, *self.body])
        space: dict[str, Any] = dict(self.names)
        exec(compile(text, f"<mapping {name}>", "exec"), space)  # noqa: S102 - see this module's first lines
        return space[name]

    @contextmanager
    def guarded(self, result: str) -> Generator[None]:
        """Write a block in which an expression may fail: then `result` is null and a flaw is noted."""
        with self.block("try:"):
            yield
        with self.block("except Exception as error:"):
            self.line(f"{result} = note(flaws, {self.field!r}, None, error)")

    def _getter(self, path: tuple[str, ...]) -> str:
        if path not in self._getters:
            name = self._getters[path] = f"g{len(self._getters)}"
            value = self.member(path) if path else "record"
            self.head.append(f"    {name} = {value}.get if isinstance({value}, dict) else nothing")
        return self._getters[path]

    def member(self, path: tuple[str, ...]) -> str:
        """Give the name of a member of the record; it is read once, at the function's start."""
        if path not in self._members:
            getter = self._getter(path[:-1])
            name = self._members[path] = f"m{len(self._members)}"
            self.paths[name] = path
            self.head.append(f"    {name} = {getter}({path[-1]!r})")
        return self._members[path]

    def convert(self, name: str, call: Any, values: list[str], *, nulls: bool = False, quick: str = "") -> str:
        """Write the call of a function that may find its value unfit: then null, and a flaw.

        What is known already is not worked out again, unless it is null: then every field notes its own flaw.
        """
        if values[0] == "None" and not nulls:
            return "None"
        self.names[name] = call
        found, known = self.fresh(), self.done.get((name, *values))
        conditions = [f"{found} is None"] * bool(known) + [f"{values[0]} is not None"] * (not nulls)
        if conditions:
            self.line(f"{found} = {known}")
        with self.block(f"if {' and '.join(conditions)}:") if conditions else nullcontext():
            with self.block("try:"):
                call = quick.format(*values) if quick else f"{name}({', '.join(values)})"
                self.line(f"{found} = {call}")
            with self.block("except Exception as error:"):
                self.line(f"{found} = note(flaws, {self.field!r}, {values[0]}, error)")
        self.done[name, *values] = found
        return found
