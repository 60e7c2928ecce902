"""Hostile mappings and hostile records: no code runs, and nothing takes seconds."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rollbook.core.errors import MappingError
from rollbook.core.mapping import Mapped, Normalizer, Rejected, Skipped, compile, compile_expression, load
from rollbook.core.mapping.effort import GROWTH, HEAVIEST

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SOON = 20.0
"""Seconds of a processor: what is not bounded takes minutes, and no machine is so slow."""

HUGE: dict[str, Any] = {
    "no": 1,
    "rows": [{"b": n, "c": [1, 2]} for n in range(40_000)],
    "tag": "<" + "a" * 1_000_000,
    "tags": "<a" * 500_000,
    "hidden": "<script>" * 120_000,
    "spaces": "1d" + " " * 1_000_000 + "x",
    "address": "https://" + "a" * 1_000_000 + " x",
    "words": "1 " * 500_000,
    "digits": "9" * 1_000_000,
    "object": {f"k{n}": n for n in range(60_000)},
}


def mapping(**fields: str) -> Normalizer:
    return compile(load({"connector": "x", "course_enrollment": {"id": "id(no)", "custom_fields": fields}}))


@pytest.mark.parametrize(
    "expression",
    [
        *(f"{name}({field})" for name in ("html", "duration", "text", "snake") for field in HUGE if field != "no"),
        *(f"{name}({field})" for name in ("number", "datetime", "emails", "email", "lower") for field in HUGE),
        "url(address, 'x')",
        "local_datetime(spaces, 'D M YYYY')",
        "rows[].c[].[@, @, @][]",
        "rows[].[b, c, b, c, b][].[@, @, @, @][]",
        "rows[].html('<a<a<a<a<a<a<a<a<a<a<a<a')",
        "rows[].c[].to_string(@)",
        "map(&join('', [to_string(@), to_string(@)]), rows)",
        "sort_by(rows, &b)[-1].b",
        "join('', [tag, tag, tag, tag, tag, tag, tag, tag])",
        "object.*.to_string(@)",
        "to_string(@)",
        "pairs(rows, 'b', 'c')",
        "starting(object, 'k')",
        "merge(object, object, object)",
        "[rows, rows, rows, rows, rows, rows, rows, rows, rows, rows][][]",
    ],
)
def test_the_worst_record_is_done_in_a_moment(expression: str) -> None:
    normalizer = mapping(worst=expression)
    begun = time.process_time()
    result = normalizer.normalize(HUGE, as_of=NOW)

    assert time.process_time() - begun < SOON
    assert isinstance(result, Mapped)
    assert result.enrollment.id == "1"


@pytest.mark.parametrize("expression", ["rows[].[b, c, b]", "to_string(@)", "rows[5:]", "keys(object)", "html(tag)"])
def test_many_expensive_fields_share_one_budget(expression: str) -> None:
    normalizer = mapping(**{f"f{n}": f"first(none{n}, {expression})" for n in range(400)})
    begun = time.process_time()
    result = normalizer.normalize(HUGE, as_of=NOW)

    assert time.process_time() - begun < SOON
    assert isinstance(result, Mapped)


def test_a_field_that_takes_too_much_is_a_flaw_and_the_next_record_begins_anew() -> None:
    normalizer = mapping(much="rows[].[@, @, @, @, @, @, @, @, @, @][].[@, @, @, @, @, @][]", little="tag2")
    result = normalizer.normalize(HUGE, as_of=NOW)

    assert isinstance(result, Mapped)
    assert ("custom_fields.much", "too much work for one record") in {(one.field, one.reason) for one in result.flaws}

    small = normalizer.normalize({"no": 2, "rows": [{"b": 1}], "tag2": "x"}, as_of=NOW)

    assert isinstance(small, Mapped)
    assert small.flaws == ()
    assert len(small.enrollment.custom_fields["much"]) == 60  # pyright: ignore[reportArgumentType] - a list


@pytest.mark.parametrize(
    "expression",
    [
        " | ".join(["[@, @]"] * 8),
        " | ".join(["[@, @][]"] * 8),
        " | ".join(["join('', [@, @])"] * 8),
        " | ".join(["{a: @, b: @, c: @}"] * 5),
        f"[{', '.join(['@'] * (GROWTH + 1))}]",
        "map(&[@, @, @, @, @, @, @, @, @], map(&[@, @, @, @, @, @, @, @, @], a))",
    ],
)
def test_an_expression_that_grows_without_end_is_refused(expression: str) -> None:
    for made in (lambda: mapping(x=expression), lambda: compile_expression(expression)):
        with pytest.raises(MappingError, match=f"repeats what it reads more than {GROWTH} times|nested"):
            made()


def test_what_only_says_whether_something_holds_grows_by_nothing() -> None:
    names = ", ".join(["first(a, b)"] * GROWTH)
    expression = f"when(has(name, {names}) && !contains(list, name), [one_of(name, {names}), name == other], name)"

    mapping(x=expression)

    assert compile_expression(expression)({"name": "x", "a": "x", "list": []}) == [True, False]


def test_a_mapping_of_too_many_parts_is_refused() -> None:
    fields = {f"f{n}": "[" + ", ".join(f"a{k}.b.c.d.e.f" for k in range(40)) + "]" for n in range(200)}

    with pytest.raises(MappingError, match=f"more than {HEAVIEST} parts"):
        mapping(**fields)


names = st.text(max_size=40) | st.sampled_from(
    [
        "'",
        '"',
        "\\",
        "\n",
        "'''",
        '"); import os #',
        "{0}",
        "%s",
        "\0",
        "\u2028",
        "\ud800",
        "ﬁ",
        "ªº",
        "__class__",
        "record",
    ]
)
numbers = st.integers() | st.floats(allow_nan=False) | st.sampled_from([10**400, -(10**400), 1e308, 5e-324])
values = st.recursive(
    st.none() | st.booleans() | numbers | names,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


def quoted(name: str) -> str:
    """Write an identifier of JMESPath for any text."""
    import json

    return json.dumps(name)


@settings(max_examples=150, deadline=None)
@given(st.lists(names.filter(bool), min_size=1, max_size=4), names, values)
def test_any_name_and_text_in_an_expression_is_data(path: list[str], text: str, value: object) -> None:
    """Whatever names and texts say, they are looked up and given back; nothing of them is run."""
    record: Any = value
    for name in reversed(path):
        record = {name: record}
    found = compile_expression(".".join(map(quoted, path)))(record)

    assert found == value or (found != found and value != value)  # noqa: PLR0124 - NaN

    raw = text.replace("\\", "").replace("'", "")

    assert compile_expression(f"'{raw}'")(record) == raw


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(names, names | values, max_size=4), st.dictionaries(names, names, max_size=3), names, values)
def test_any_mapping_is_refused_or_maps_any_record(
    custom: dict[str, Any], words: dict[str, Any], source: str, value: object
) -> None:
    """A mapping of anything is a MappingError, or a mapping that gives one of three results for any record."""
    table = {
        "id": "id(no)",
        "user": {"name": f"text({quoted(source)})" if source else "text(a)"},
        "custom_fields": custom,
        "status": {"source": "state", "values": words},
    }
    try:
        normalizer = compile(load({"connector": "x", "course_enrollment": table}))
    except MappingError:
        return
    record: dict[str, Any] = {"no": 1, source: value, "state": value}
    result = normalizer.normalize(record, as_of=NOW)

    assert isinstance(result, (Mapped, Skipped, Rejected))


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="ab.[]|&@*?'`\"(){},:=<>!-0159 \n\\\u00e9\ud800", max_size=60), values)
def test_any_text_as_an_expression_is_refused_or_works(text: str, value: Any) -> None:
    try:
        call = compile_expression(text)
    except MappingError:
        return
    call(value)


def test_a_list_of_unfit_items_notes_a_few_flaws_and_not_one_for_each() -> None:
    normalizer = compile(load({"connector": "x", "course_enrollment": MANY_ITEMS}))
    items: list[Any] = [{"when": "someday", "html": "<p>x</p>" * 20}] * 50_000
    result = normalizer.normalize({"no": 1, "state": "open", "items": items}, as_of=NOW)

    assert isinstance(result, Mapped)
    assert len(result.flaws) <= 110
    assert {flaw.field for flaw in result.flaws} == {"custom_fields.dates", "custom_fields.texts"}
    assert "too much work for one record" in {flaw.reason for flaw in result.flaws}


MANY_ITEMS: dict[str, Any] = {
    "id": "id(no)",
    "custom_fields": {"dates": "items[*].datetime(when)", "texts": "items[*].html(html)"},
    "status": {"source": "state", "values": {"open": "enrolled"}},
}
