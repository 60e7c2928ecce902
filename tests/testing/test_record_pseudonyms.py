"""Stand-ins are one for one, the same everywhere, and of the shape of what they stand for."""

from __future__ import annotations

import re
import string
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rollbook.core.testing.recording.ids import Ids
from rollbook.core.testing.recording.pseudonyms import Names, Numbered

NUMBERS = st.integers(1, 10**12).map(str)
WORDY = st.from_regex(r"[A-Za-z]{1,3}-?[0-9]{2,6}", fullmatch=True)
UUIDS = st.uuids(version=4).map(str)
LETTERS = st.text(st.characters(categories=["Lu", "Ll", "Lo"]), min_size=2, max_size=8)


def classes(id: str) -> str:
    """Give an id's shape."""
    return re.sub(r"[A-Z]", "A", re.sub(r"[a-z]", "a", re.sub(r"[0-9]", "0", id)))


@given(st.sets(NUMBERS | WORDY, max_size=60), st.sets(NUMBERS | WORDY, max_size=60))
def test_ids_are_replaced_one_for_one_by_none_that_occurs(people: set[str], others: set[str]) -> None:
    ids = Ids(people, others)
    new = dict(ids.items())

    assert set(new) | ids.kept == people
    assert len(set(new.values())) == len(new)
    assert not set(new.values()) & (people | others)


@given(st.sets(NUMBERS | WORDY, max_size=60))
def test_ids_keep_their_length_and_the_class_of_each_character(people: set[str]) -> None:
    new = dict(Ids(people, ()).items())

    assert [classes(id) for id in new] == [classes(id) for id in new.values()]
    assert all((id[0] == "0") == (new[id][0] == "0") for id in new if id.isdecimal())


@given(st.sets(st.integers(10, 10**9), min_size=2, max_size=60))
def test_numbers_keep_their_order(people: set[int]) -> None:
    """Lists that are sorted by id stay sorted, and `after=<id>` still means what it meant."""
    new = dict(Ids(map(str, people), ()).items())
    old = sorted(map(int, new))

    assert [int(new[str(id)]) for id in old] == sorted(int(id) for id in new.values())


@given(st.sets(UUIDS, min_size=1, max_size=30))
def test_uuids_stay_uuids_of_their_version(people: set[str]) -> None:
    new = dict(Ids(people, ()).items())

    assert {uuid.UUID(id).version for id in new.values()} == {4}
    assert not set(new.values()) & people


@pytest.mark.parametrize("shortest", [1, 3])
def test_where_there_is_no_room_ids_stay(shortest: int) -> None:
    ids = Ids(["1", "2", "3", "104"], [str(number) for number in range(1, 8)], shortest=shortest)

    assert ids.kept == {"1", "2", "3"}
    assert ids.get("1") is None
    assert ids.get("104") not in {None, "104"}


def test_an_id_of_fifty_digits_is_replaced_as_any_other() -> None:
    id = "9" * 50
    new = Ids([id], ()).get(id)

    assert new is not None
    assert len(new) == 50
    assert new != id


NAMES = Names(
    [
        *("Ada Lovelace", "Zoë O\u2019Hara", "José María García Núñez", "佐藤 美咲", "김 지민"),
        *("Дмитрий Орлов", "Will Fox", "Zoe\u0308 d'Ávila"),
    ],
    {"fox", "hunting"},
)


def test_all_ways_to_write_a_name_agree() -> None:
    first, last = NAMES.name("Ada"), NAMES.name("Lovelace")

    assert NAMES.name("Ada Lovelace") == f"{first} {last}"
    assert NAMES.name("Lovelace, Ada") == f"{last}, {first}"
    assert NAMES.name("LOVELACE, ADA") == f"{last}, {first}".upper()
    assert NAMES.name("ada lovelace") == f"{first} {last}".lower()
    assert NAMES.text("Ask Ada Lovelace (or ada_lovelace)") == f"Ask {first} {last} (or {first.lower()}_{last.lower()})"
    assert NAMES.text("Well done, Ada!") == f"Well done, {first}!"
    assert NAMES.name("A. Lovelace") == f"X. {last}"
    assert NAMES.name("Zoë") == NAMES.name("Zoe\u0308")
    assert NAMES.name("O&#8217;Hara") == NAMES.name("O\u2019Hara")


def test_names_without_blanks_are_found_inside_words() -> None:
    text = NAMES.text("佐藤美咲さんと美咲")

    assert "美咲" not in text
    assert "佐藤" not in text
    assert text.endswith(NAMES.name("美咲"))


def test_a_title_loses_whole_names_only() -> None:
    assert NAMES.title("Ada for beginners") == "Ada for beginners"
    assert NAMES.title("Fox hunting, Will it end?") == "Fox hunting, Will it end?"
    assert "Ada" not in NAMES.title("1:1 with Ada Lovelace")


def test_a_word_of_the_lmss_own_is_no_name_in_a_text() -> None:
    names = Names(["Test Student", "Admin User"])

    assert names.text("Student and Admin") == "Student and Admin"
    assert names.text("Test Student") != "Test Student"
    assert "Test" not in names.name("Test Student")


@given(st.lists(st.tuples(LETTERS, LETTERS), min_size=1, max_size=8))
def test_a_name_is_the_name_of_its_parts(people: list[tuple[str, str]]) -> None:
    """What a mapping joins of cleaned parts is what cleaning the joined name gives."""
    names = Names([part for person in people for part in person])

    for first, last in people:
        assert names.name(f"{first} {last}") == f"{names.name(first)} {names.name(last)}"


@given(st.lists(st.text(string.ascii_letters, min_size=2, max_size=8), min_size=1, max_size=30))
def test_two_names_never_become_one(parts: list[str]) -> None:
    names = Names(parts)
    different = {part.lower() for part in parts}

    assert len({names.name(part).lower() for part in different}) == len(different)
    assert not {names.name(part).lower() for part in different} & different


def test_stand_ins_by_number_do_not_heed_case_and_skip_what_occurs() -> None:
    emails = Numbered("learner{}@example.com", {"Learner1@example.com"})

    assert emails.of("Ada@acme.com") == emails.of("ada@ACME.com") == "learner2@example.com"
    assert emails.of("bo@acme.com") == "learner3@example.com"
    assert emails.get("cy@acme.com") is None
