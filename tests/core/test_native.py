"""JSON comes in and goes out with nothing lost."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rollbook.core.errors import ContractError
from rollbook.core.native import MAX_DEPTH, depth, digest, dump, parse, without

if TYPE_CHECKING:
    from rollbook.core.native import JSON

texts = st.text(st.characters(exclude_categories=()))  # lone surrogates too
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_what_is_dumped_is_parsed_to_the_same(value: JSON) -> None:
    again = parse(dump(value))

    assert again == value
    assert repr(again) == repr(value)  # 1, 1.0 and True are equal, but not the same


@given(values)
def test_a_dumped_text_is_the_same_each_time(value: JSON) -> None:
    assert dump(parse(dump(value))) == dump(value)


def test_integers_stay_exact() -> None:
    number = int("1234567890" * 5)

    assert parse(str(number)) == number
    assert dump({"id": number}) == f'{{"id":{number}}}'


@pytest.mark.parametrize("other", ["", r',"\ud800"'])  # with a lone surrogate the slow parser reads it
def test_integers_stay_exact_on_either_road(other: str) -> None:
    value = parse(f"[{'9' * 50}{other}]")

    assert isinstance(value, list)
    assert value[0] == int("9" * 50)


def test_nan_and_infinity_are_taken_as_they_are() -> None:
    value = parse(b"[NaN, Infinity, -Infinity]")

    assert isinstance(value, list)
    assert math.isnan(float(str(value[0])))
    assert value[1:] == [math.inf, -math.inf]
    assert dump(value) == "[NaN,Infinity,-Infinity]"


@pytest.mark.parametrize("text", [r'"\ud83d"', '"\ud83d"'])
def test_a_lone_surrogate_is_taken_as_it_is(text: str) -> None:
    assert parse(text) == "\ud83d"
    assert dump("\ud83d") == r'"\ud83d"'


def test_nul_is_a_character() -> None:
    assert parse(rb'"a\u0000b"') == "a\0b"
    assert dump("a\0b") == r'"a\u0000b"'


@pytest.mark.parametrize("other", ["", r',"b":"\ud800"'])
def test_the_last_of_duplicate_members_counts(other: str) -> None:
    value = parse(f'{{"a":1,"a":2{other}}}')

    assert isinstance(value, dict)
    assert value["a"] == 2


def test_members_stay_in_order() -> None:
    assert dump(parse('{"b": 1, "a": 2}')) == '{"b":1,"a":2}'


def test_a_byte_order_mark_is_passed_over() -> None:
    assert parse(b"\xef\xbb\xbf{}") == {}


def test_a_body_may_be_nested_as_deep_as_the_bound() -> None:
    deep = "[" * MAX_DEPTH + "]" * MAX_DEPTH

    assert depth(parse(deep)) == MAX_DEPTH
    assert dump(parse(deep)) == deep


@pytest.mark.parametrize("levels", [MAX_DEPTH + 1, 100_000])
@pytest.mark.parametrize(("begin", "end"), [("[", "]"), ('{"a":', "}")])
def test_a_body_nested_deeper_is_refused(levels: int, begin: str, end: str) -> None:
    with pytest.raises(ContractError):
        parse(begin * levels + "1" + end * levels)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1,]", b'{"a":1', b'"a\x00b"', b"\xff", b"1 2", "\ufeff{}"])
def test_what_is_no_json_is_refused_without_showing_it(body: bytes | str) -> None:
    with pytest.raises(ContractError, match=r"^the body is not JSON( at character \d+)?$"):
        parse(body)


@pytest.mark.parametrize(("text", "levels"), [("1", 0), ("[]", 1), ('{"a": [1, {}]}', 3), ("[[], [[]]]", 3)])
def test_depth_counts_lists_and_objects(text: str, levels: int) -> None:
    assert depth(parse(text)) == levels


def test_members_are_left_out_at_any_level() -> None:
    value: JSON = {"id": 1, "key": "s", "in": [{"key": {"id": 2}, "name": "key"}]}

    assert without(value, {"key"}) == {"id": 1, "in": [{"name": "key"}]}


@given(texts)
def test_a_digest_is_32_hexadecimal_digits(text: str) -> None:
    assert len(bytes.fromhex(digest(text))) == 16
    assert digest(text) == digest(text)
