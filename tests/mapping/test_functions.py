"""The functions: what they promise in their documentation, and what they do with everything else."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rollbook.core.mapping import FUNCTIONS, compile_expression, functions_table

PAGE = Path(__file__).parents[2] / "docs" / "mappings.md"
EXAMPLES = [(expression, result) for doc in FUNCTIONS.values() for expression, result in doc.examples]


def shown(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def work_out(expression: str, value: Any = None) -> Any:
    return compile_expression(expression)({"v": value})


@pytest.mark.parametrize(("expression", "result"), EXAMPLES)
def test_every_example_of_the_documentation_is_true(expression: str, result: str) -> None:
    assert shown(work_out(expression)) == result


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - {"past", "future"}))
def test_every_function_has_an_example(name: str) -> None:
    assert FUNCTIONS[name].examples


def test_the_page_about_mappings_shows_the_functions_as_they_are() -> None:
    page = PAGE.read_text(encoding="utf-8")
    shown_table = page.partition("<!-- functions:begin -->")[2].partition("<!-- functions:end -->")[0]

    assert shown_table.strip() == functions_table(), "write functions_table() into the page"


ONE_VALUE = [doc.name for doc in FUNCTIONS.values() if doc.call and doc.arity()[0] <= 1]


@pytest.mark.parametrize("name", ONE_VALUE)
def test_a_missing_value_gives_null_or_false(name: str) -> None:
    assert work_out(f"{name}(v)") in (None, False)


anything = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(),
        st.sampled_from(["0000-00-00", "2026-02-30", "/Date(9)/", "PT", "1e999", "\ud800", "\0"]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)


@pytest.mark.parametrize("name", ONE_VALUE)
@given(value=anything)
def test_no_function_raises_whatever_it_is_given(name: str, value: Any) -> None:
    call = FUNCTIONS[name].call
    assert call is not None
    result = work_out(f"{name}(v)", value)

    assert result is None or isinstance(result, (str, int, float, list, dict, datetime))


@pytest.mark.parametrize(
    ("expression", "value", "result"),
    [
        ("datetime(v)", "2026-01-06T07:00:12.5Z", "2026-01-06T07:00:12.500000Z"),
        ("datetime(v)", "2026-01-06T07:00:12+0000", "2026-01-06T07:00:12Z"),
        ("datetime(v)", "2026-01-06T07:00:12.123-08:00", "2026-01-06T15:00:12.123000Z"),
        ("datetime(v)", " 2026-01-06 07:00:12 ", "2026-01-06T07:00:12Z"),
        ("datetime(v)", "2026-01-06T07:00:12.1234567Z", "2026-01-06T07:00:12.123456Z"),
        ("datetime(v)", "2025-12-01-08:00", "2025-12-01T08:00:00Z"),
        ("datetime(v, 'America/New_York')", "2026-07-01", "2026-07-01T04:00:00Z"),
        ("datetime(v, zone)", "2026-07-01", "2026-07-01T00:00:00Z"),
        ("datetime(v)", "20260106", None),
        ("datetime(v)", "1768208400", None),
        ("datetime(v)", "0000-00-00", None),
        ("datetime(v)", "0001-01-01T00:00:00", None),
        ("datetime(v)", "1900-01-01 00:00:00", None),
        ("datetime(v)", "1900-01-02", "1900-01-02T00:00:00Z"),
        ("datetime(v)", "0", None),
        ("datetime(v)", "0001-01-01T00:00:00+14:00", None),
        ("datetime(v)", "9999-12-31T23:59:59-01:00", None),
        ("end_of_day(v, 'America/New_York')", "2026-07-01", "2026-07-02T03:59:59Z"),
        ("end_of_day(v)", "2025-12-01-08:00", "2025-12-02T07:59:59Z"),
        ("end_of_day(v)", "2025-12-01T00:00:00Z", "2025-12-01T00:00:00Z"),
        ("end_of_day(v)", {"year": 2026, "month": 4, "day": 1}, "2026-04-01T23:59:59Z"),
        ("end_of_day(v)", {"year": 2026, "month": 2, "day": 30}, None),
        ("epoch(v)", 1587639230.083278, "2020-04-23T10:53:50.083278Z"),
        ("epoch(v)", "", None),
        ("epoch(v)", -1, "1969-12-31T23:59:59Z"),
        ("epoch(v)", 10**30, None),
        ("epoch(v)", True, None),
        ("epoch(v)", float("nan"), None),
        ("epoch_ms(v)", 1781704713123, "2026-06-17T13:58:33.123000Z"),
        ("epoch_ms(v)", -62135596800000, None),
        ("ticks(v)", 0, None),
        ("dotnet_date(v)", "/Date(-62135596800000)/", None),
        ("dotnet_date(v)", "/Date(1563928484663-0700)/", "2019-07-24T00:34:44.663000Z"),
        ("dotnet_date(v)", "2019", None),
        ("local_datetime(v, 'DD/MM/YYYY, HH:mm:ss')", "06/09/2013, 13:24:52", "2013-09-06T13:24:52Z"),
        ("local_datetime(v, 'MM/DD/YYYY')", "06/09/2013", "2013-06-09T00:00:00Z"),
        ("local_datetime(v, 'DD/MMM/YYYY')", "10/Jun/2026", "2026-06-10T00:00:00Z"),
        ("local_datetime(v, 'D MMMM YYYY')", "1 MAY 2026", "2026-05-01T00:00:00Z"),
        ("local_datetime(v, 'D MMMM YYYY')", "1 Sep 2026", None),
        ("local_datetime(v, 'dddd, D MMMM YYYY')", "Sunday, 15 November 2026", "2026-11-15T00:00:00Z"),
        ("local_datetime(v, 'dddd, D MMMM YYYY')", "Monday, 15 November 2026", None),
        ("local_datetime(v, 'dddd, D MMMM YYYY')", "Sonntag, 15 November 2026", None),
        ("local_datetime(v, 'DD/MM/YYYY')", "31/02/2026", None),
        ("local_datetime(v, 'DD/MM/YYYY')", "00/00/0000", None),
        ("local_datetime(v, 'MM/DD/YYYY hh:mm A')", "01/02/2026 12:05 am", "2026-01-02T00:05:00Z"),
        ("datetime(v, 'Europe/Berlin')", "2026-10-25T02:30:00", "2026-10-25T00:30:00Z"),
        ("datetime(v, 'Europe/Berlin')", "2026-03-29T02:30:00", "2026-03-29T01:30:00Z"),
        ("duration(v)", "12m 0s", 720),
        ("duration(v)", "0s", 0),
        ("duration(v)", "PT1H21M0.5S", 4861),
        ("duration(v)", "01:21:00.5000000", 4861),
        ("duration(v)", "26:00:00", 93600),
        ("duration(v)", "P1DT1S", 86401),
        ("duration(v)", "12", None),
        ("duration(v)", "P", None),
        ("duration(v)", 12, None),
        ("minutes(v)", 182.5, 10950),
        ("milliseconds(v)", "499", 0),
        ("milliseconds(v)", 500, 1),
        ("seconds(v)", -1, None),
        ("seconds(v)", 2.5, 3),
        ("number(v)", "1,5", None),
        ("number(v)", "-0.5", -0.5),
        ("number(v)", "1_000", None),
        ("number(v)", False, None),
        ("number(v)", "9" * 50, int("9" * 50)),
        ("truth(v)", 2, None),
        ("truth(v)", "False", False),
        ("truth(v)", 1.0, True),
        ("percent(v)", "12.5%", 12.5),
        ("fraction(v)", 0.33335, 33.34),
        ("ratio(v, `3`)", 1, 33.33),
        ("ratio(v, `8`)", "1", 12.5),
        ("ratio(v, `-1`)", 1, None),
        ("scaled(v, `0`, `220`)", 9.28216, 4.22),
        ("scaled(v, `5`, `5`)", 5, None),
        ("id(v)", 10000000000042, "10000000000042"),
        ("id(v)", 7.0, "7"),
        ("id(v)", 7.5, None),
        ("id(v)", True, None),
        ("id(v)", ["7"], None),
        ("id(v)", "a\0b", None),
        ("id(v)", "a\ud800", None),
        ("ids(v, v)", None, None),
        ("ids(v, `1`, v)", None, ":1:"),
        ("text(v)", "a\0b\ud800", "ab\ufffd"),
        ("text(v)", "\U0001f600 ü", "\U0001f600 ü"),
        ("text(v)", True, None),
        ("text(v)", 2024, "2024"),
        ("html(v)", "<b>Law</b> &amp; <i>order</i><br>Part&nbsp;1", "Law & order Part\xa01"),
        ("html(v)", "a < b and c > d", "a < b and c > d"),
        ("html(v)", "<!-- no --><script>alert(1)</script>Yes", "Yes"),
        ("html(v)", "&lt;b&gt;", "<b>"),
        ("unescape(v)", "Donn\u00e9es &amp;amp; vie", "Donn\u00e9es &amp; vie"),
        ("email(v)", "ada@", None),
        ("email(v)", "@example.com", None),
        ("emails(v)", ["a@example.com", None, "nobody", 3], ["a@example.com"]),
        ("person(v, 'Quill')", " ", "Quill"),
        (
            "url('https://lms.example.com/moodle/', 'a b', v)",
            "x/y?z#",
            "https://lms.example.com/moodle/a%20b/x%2Fy%3Fz%23",
        ),
        ("url('https://lms.example.com', v)", "course-v1:org+c+run", "https://lms.example.com/course-v1:org+c+run"),
        ("url('https://lms.example.com', v)", "..", None),
        ("url(v, 'a')", "javascript:alert(1)", None),
        ("url(v, 'a')", "/relative", None),
        ("query(url('https://x.example.com', 'v'), 'id', v)", "1&2", "https://x.example.com/v?id=1%262"),
        ("pick(v, 'id', `7`).n", [{"id": 1}, None, {"id": "7", "n": "found"}], "found"),
        ("pick(v, 'id', zone)", [{"id": None}], None),
        ("pick(v, 'id', '1')", {"id": 1}, None),
        (
            "picks(v, 'id', `7`)[].n",
            [{"id": 7, "n": "a"}, None, {"id": 1, "n": "b"}, {"id": "7", "n": "c"}],
            ["a", "c"],
        ),
        ("picks(v, 'id', zone)", [{"id": None}, {}], []),
        ("picks(v, 'id', '1')", [[{"id": 1}], "1"], []),
        ("picks(v, 'id', '1')", {"id": 1}, None),
        (
            "latest(picks(v, 'by', 'a')[].epoch(at))",
            [{"by": "a", "at": 5}, {"by": "b", "at": 9}],
            "1970-01-01T00:00:05Z",
        ),
        ("one_of(v, 'a', 'B')", " b ", True),
        ("one_of(v, 'a')", None, False),
        ("has(v, 'x')", None, False),
        ("has(v, 'x', 'Y')", "why", True),
        ("has(v, 'x', 'z', zone)", "why", False),
        ("first(v, 'x')", 0, 0),
        ("first(v, 'x')", False, False),
        ("first(v, 'x')", "  ", "x"),
        ("first(datetime(v), epoch(`5`))", "bad", "1970-01-01T00:00:05Z"),
        ("when(v, 'x')", 0, "x"),
        ("when(v == 'a', number(v))", "b", None),
        ("latest(v[].epoch(@))", [5, None, 9, 0], "1970-01-01T00:00:09Z"),
        ("earliest(v)", [], None),
        ("earliest(v)", [1], None),
        ("datetime(v) < datetime('2026-01-02')", "2026-01-01", True),
    ],
)
def test_values_as_the_systems_write_them(expression: str, value: Any, result: Any) -> None:
    found = work_out(expression, value)
    if isinstance(found, datetime):
        assert found.tzinfo is UTC
        found = shown(found)

    assert (found, type(found)) == (result, type(result)) or (found == result and not isinstance(found, bool))
