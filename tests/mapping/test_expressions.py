"""Compiled expressions against the interpreter of the jmespath library."""

from __future__ import annotations

import json
import math
from typing import Any

import jmespath  # pyright: ignore[reportMissingTypeStubs] - it ships no types
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rollbook.core.errors import MappingError
from rollbook.core.mapping import compile_expression

NAMES = ["a", "b", "c", "id", "x_1", "ünï code", "a.b", 'q"uote', "back\\slash", "new\nline", "", "def", "None"]
PLAIN = ["a", "b", "c", "id", "x_1"]

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([0.0, 1.0, -0.5, 2.5, 10**30]),
    st.sampled_from(["", "a", "b", "0", "12", "1.5", "ü", "it's", '"', "\\"]),
)
documents = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(PLAIN * 4 + NAMES), inner, max_size=5)
    ),
    max_leaves=20,
)


def name(text: str) -> str:
    return text if text in PLAIN else json.dumps(text)


def literal(value: Any) -> str:
    return "`" + json.dumps(value).replace("`", "\\`") + "`"


def raw(text: str) -> str:
    return "'" + text.replace("'", "\\'") + "'"


names = st.sampled_from(PLAIN * 4 + NAMES).map(name)
atoms = st.one_of(
    names,
    names,
    st.just("@"),
    documents.map(literal),
    st.sampled_from(["a", "", "it's", "x y"]).map(raw),
    st.sampled_from(["[*]", "*", "[]", "[0]", "[-1]", "[1:]", "[::-1]", "[?@]", "[::0]"]),
)
ONE = "abs avg ceil floor keys length max min reverse sort sum to_array to_number to_string type values not_null merge"
TWO = "contains ends_with starts_with join not_null merge"
BY = "sort_by max_by min_by"


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(inner, inner)
    number = st.integers(-3, 3)
    bound = st.one_of(st.just(""), number.map(str))
    return st.one_of(
        st.tuples(inner, names).map(lambda p: f"({p[0]}).{p[1]}"),
        st.tuples(names, names).map(lambda p: f"{p[0]}.{p[1]}"),
        st.tuples(inner, number).map(lambda p: f"({p[0]})[{p[1]}]"),
        st.tuples(inner, bound, bound, st.sampled_from(["", ":", ":2", ":-1"])).map(
            lambda p: f"({p[0]})[{p[1]}:{p[2]}{p[3]}]"
        ),
        st.tuples(inner, names).map(lambda p: f"({p[0]})[*].{p[1]}"),
        st.tuples(inner, names).map(lambda p: f"({p[0]}).*.{p[1]}"),
        st.tuples(inner, names).map(lambda p: f"({p[0]})[].{p[1]}"),
        st.tuples(inner, inner, names).map(lambda p: f"({p[0]})[?{p[1]}].{p[2]}"),
        pair.map(lambda p: f"({p[0]})[?{p[1]}][]"),
        pair.map(lambda p: f"({p[0]}) | ({p[1]})"),
        pair.map(lambda p: f"({p[0]}) || ({p[1]})"),
        pair.map(lambda p: f"({p[0]}) && ({p[1]})"),
        inner.map(lambda p: f"!({p})"),
        st.tuples(inner, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), inner).map(
            lambda p: f"({p[0]}) {p[1]} ({p[2]})"
        ),
        pair.map(lambda p: f"[{p[0]}, {p[1]}]"),
        st.tuples(inner, names, inner).map(lambda p: f"({p[0]}).{{{p[1]}: {p[2]}, z: @}}"),
        st.tuples(st.sampled_from(ONE.split()), inner).map(lambda p: f"{p[0]}({p[1]})"),
        st.tuples(st.sampled_from(TWO.split()), inner, inner).map(lambda p: f"{p[0]}({p[1]}, {p[2]})"),
        st.tuples(st.sampled_from(BY.split()), inner, inner).map(lambda p: f"{p[0]}({p[1]}, &{p[2]})"),
        st.tuples(inner, inner).map(lambda p: f"map(&{p[0]}, {p[1]})"),
        st.tuples(inner, names, inner).map(lambda p: f"({p[0]})[*].{{{p[1]}: {p[2]}}}"),
        st.tuples(names, st.sampled_from(["length(@)", "to_array(@)", "type(a)"])).map(lambda p: f"{p[0]}.{p[1]}"),
    )


expressions = st.recursive(atoms, grown, max_leaves=6)


def interpreted(expression: str, document: Any) -> Any:
    try:
        return jmespath.search(expression, document)  # pyright: ignore[reportUnknownMemberType] - no types
    except Exception:  # noqa: BLE001 - whatever the interpreter raises
        return None


def same(left: Any, right: Any) -> bool:
    """Equal, and of the same types all the way down: true is not 1."""
    if isinstance(left, float) and isinstance(right, float) and math.isnan(left):
        return math.isnan(right)
    return repr(left) == repr(right)


@settings(max_examples=1_500, deadline=None)
@given(expressions, documents)
def test_a_compiled_expression_gives_what_the_interpreter_gives(expression: str, document: Any) -> None:
    try:
        compiled = compile_expression(expression)
    except MappingError:
        with pytest.raises(Exception):  # noqa: B017, PT011 - refused by both
            jmespath.compile(expression)  # pyright: ignore[reportUnknownMemberType] - no types
        return

    assert same(compiled(document), interpreted(expression, document))


@pytest.mark.parametrize(
    "expression",
    [
        "abs('x')",
        "a < b",
        "join(',', a)",
        "sort_by(a, &b)",
        "a[::0]",
        "max([`1`, 'x'])",
        "contains(n, 'x')",
        "'a' < `1`",
    ],
)
def test_where_the_interpreter_raises_the_value_is_null(expression: str) -> None:
    document: Any = {"a": [1, "x"], "b": {}}

    assert compile_expression(expression)(document) is None


@pytest.mark.parametrize(
    ("expression", "column"),
    [
        ("a.", 3),
        ("a b", 3),
        ("nonsense(a)", 1),
        ("a.b(c) || upeer(d)", 3),
        ("a || upeer(d)", 6),
        ("`foo`", 1),
        ("past(epoch(a))", 1),
    ],
)
def test_a_bad_expression_fails_with_its_column(expression: str, column: int) -> None:
    with pytest.raises(MappingError, match=rf"f\.toml, due_at, column {column}: "):
        compile_expression(expression, file="f.toml", key="due_at")


def test_an_unknown_function_suggests_the_nearest() -> None:
    with pytest.raises(MappingError, match="Did you mean 'upper'"):
        compile_expression("upeer(a)")


@pytest.mark.parametrize(
    "expression",
    [
        "(" * 3_000,
        "!" * 500 + "a",
        "a" * 5_000,
        "[*]" * 500,
        "a" + "[*].b" * 40,
        "when(a, " * 70 + "b" + ")" * 70,
        "&a",
        "[&a]",
        "first(" + "a, " * 80 + "b)",
    ],
)
def test_what_is_too_large_or_too_deep_is_refused_when_it_is_loaded(expression: str) -> None:
    with pytest.raises(MappingError):
        compile_expression(expression)


HOSTILE = [
    "'); raise SystemExit #",
    '"""',
    "\\",
    "\n    raise SystemExit\n",
    "{x}",
    "\u2028",
    "\ud800",
    "__import__",
    "%s",
    "\x00",
    "'''",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_name_or_a_text_cannot_become_python(text: str) -> None:
    document: Any = {text: {"x": [{text: 1}]}, "t": text}
    quoted = json.dumps(text)

    assert compile_expression(f"{quoted}.x[0].{quoted}")(document) == 1
    assert compile_expression(f"t == {literal(text)}")(document) is True
    assert compile_expression(f"@.{{{quoted}: t}}")(document) == {text: text}
    assert compile_expression(f"*.x[].{quoted} | [0]")(document) == 1


EQUALITIES = [
    f"{left} == {right}"
    for left in ("t", "one", "f", "zero", "`1`")
    for right in ("t", "one", "f", "zero", "`true`", "`0`", "`null`", "''")
]


@pytest.mark.parametrize("expression", [*EQUALITIES, *(one.replace("==", "!=") for one in EQUALITIES)])
def test_true_and_false_are_not_1_and_0(expression: str) -> None:
    document: Any = {"t": True, "one": 1, "f": False, "zero": 0.0}

    assert compile_expression(expression)(document) is interpreted(expression, document)
