"""The places of a record that an expression looks at, as an explanation names them."""

from __future__ import annotations

from typing import Any

import pytest
from rollbook.core.mapping.grammar import parse
from rollbook.core.mapping.reads import reader, reads, stands


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a.b.c", ["a.b.c"]),
        ("first(a, text(b.c))", ["a", "b.c"]),
        ("a[0].b", ["a[0].b"]),
        ("a[-1]", ["a[-1]"]),
        ("a[1:3]", ["a[1:3]"]),
        ("a[].epoch(b)", ["a[].b"]),
        ("a[*].first(b.c, d)", ["a[*].b.c", "a[*].d"]),
        ("a[?b == 'x'].c.d", ["a[?].c.d", "a[*].b"]),
        ("a[?has(b, setting('s'))] | [0].c", ["a[?][0].c", "a[*].b", "setting('s')"]),
        ("a.*.b", ["a.*.b"]),
        ('"odd name".b', ['"odd name".b']),
        ("starting(user, 'x_')", ["user.x_*"]),
        ("pick(a.b, 'id', c.d).e", ["a.b[id=c.d].e", "c.d"]),
        ("pick(a, 'id', '7')", ["a[id=7]"]),
        ("picks(a[].b, 'id', c.d)[].epoch(e)", ["c.d", "a[].b[id=c.d][].e"]),
        ("when(a == `1`, b, c)", ["a", "b", "c"]),
        ("{x: a, y: b}.x", ["a", "b"]),
        ("sort_by(a, &b)[0].c", ["a"]),
        ("@", ["@"]),
        ("'fixed'", []),
        ("url(setting('base_url'), id)", ["setting('base_url')", "id"]),
    ],
)
def test_the_places_that_an_expression_looks_at(expression: str, expected: list[str]) -> None:
    assert list(reads(parse(expression))) == expected


@pytest.mark.parametrize(
    ("expression", "record", "expected"),
    [
        ("a.b", {"a": {"b": 5}}, [5]),
        ("a[?b].c", {"a": [{"b": True, "c": 1}, {"c": 2}]}, [[1], [True]]),
        ("pick(a, 'id', b).c", {"a": [{"id": 1, "c": 5}], "b": "1"}, [5, "1"]),
        ("picks(a, 'id', b)[].c", {"a": [{"id": 1, "c": 5}, {"id": "1", "c": 6}], "b": "1"}, [[5, 6], "1"]),
        ("setting('zone')", {}, ["Oslo"]),
        ("starting(a, 'x_')", {"a": {"x_1": 1, "y": 2}}, [{"x_1": 1}]),
        ("pick(sort(a), 'id', '1')", {"a": 5}, [5]),
        ("a.b", {"a": [1]}, [None]),
    ],
)
def test_what_stands_in_them_is_read_as_the_mapping_reads_it(expression: str, record: Any, expected: list[Any]) -> None:
    read = reader(reads(parse(expression)), {"zone": "Oslo"})

    assert list(read(record).values()) == expected


@pytest.mark.parametrize(
    ("expression", "record", "expected"),
    [
        ("a", {"a": None}, True),
        ("a", {}, False),
        ("a.b", {"a": {"b": None}}, True),
        ("a.b", {"a": None}, False),
        ("a.b.c", {"a": {"b": "x"}}, False),
        ("a[0].b", {"a": [{"b": None}]}, False),
    ],
)
def test_null_stands_there_and_what_is_missing_does_not(expression: str, record: Any, *, expected: bool) -> None:
    [place] = reads(parse(expression)).values()

    assert stands(record, place, None) is expected
