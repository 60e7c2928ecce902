"""What an object is, told by its members: a person, what somebody wrote, a course, a file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .keys import PERSON_WORDS, Holds, holds, is_person_word, words
from .namelike import is_course_like

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...native import JSON

__all__ = [
    "BODIES",
    "as_table",
    "called",
    "cells_of",
    "has_author",
    "is_about_course",
    "is_own_id",
    "is_person",
    "is_post",
]

_NAMING = ("name", "key", "field", "fieldname", "field_name", "shortname", "label", "title", "type", "id", "code")
_OWN_ID = re.compile(
    r"_?(id|uuid|guid|uid|sourcedid|identifier)"
    r"|(external|ext|alternate|alt|global|universal|profile|(user)?master|sso|scim|ldap|idp|saml|azure|legacy|national"
    r"|anonymous|integration|orgdefined|hr|erp|payroll|binuser|account|unique)(id|uid|uuid|guid|identifier|ref)"
    r"|idnumber|externalref|uniqueidentifier|schooluid|workdayid|wid"
)
_PLAIN_IDS = frozenset({"id", "uuid", "guid", "uid", "sourcedid", "identifier", "accountid"})
"""In a row that names its person by another id, these are the row's own."""
_SIGNS = frozenset(
    {"displayname", "fullname", "sortablename", "pronouns", "lastlogin", "lastloginat", "lastaccess", "profileimageurl"}
)
"""Members that people have; courses and files have some of them, too."""
_NO_PEOPLE = frozenset(
    {"filename", "contenttype", "mimeclass", "mimetype", "filesize", "extension", "description", "classcode"}
)
BODIES = frozenset({"message", "text", "body", "content", "html", "post", "messagehtml", "bodyhtml", "reply"})
"""Members that hold what somebody wrote, if the object says who."""
_COURSES = frozenset(
    {"course", "class", "lesson", "module", "program", "programme", "section", "unit", "path", "content", "catalog"}
    | {"assignment", "attachment", "file", "group", "session", "certificate", "badge", "quiz", "test", "exam"}
    | {"enrolledcourse", "category", "role", "branch", "department", "organization", "org"}
)
_OTHERS = PERSON_WORDS - frozenset(
    {"user", "learner", "student", "person", "people", "employee", "member", "participant", "attendee", "candidate"}
    | {"profile", "worker", "colleague", "subscriber", "customer", "usergrade"}
) | {"group", "support", "reply", "from", "by", "calendar"}
"""Whoever a thing belongs to, as in `author_name`: the thing is no person for it."""


def is_about_course(record: dict[str, JSON], name: str) -> bool:
    """Tell whether an object is about a course, or a thing in one."""
    names = _names(record)
    last = (words(name) or ("",))[-1]
    if last in _COURSES or last.removesuffix("s") in _COURSES or last.removesuffix("es") in _COURSES:
        return True
    return is_course_like(frozenset(record)) or {"fullname", "shortname"} <= names


def is_person(record: dict[str, JSON], name: str, *, course: bool = False) -> bool:
    """Tell whether an object is a person, or a row that holds one's data."""
    own = {key: holds(key) for key, value in record.items() if value not in (None, "", [], {})}
    found = {what for key, what in own.items() if not set(words(key)) & _OTHERS}
    if is_person_word(name):
        return True
    names = _names(record)
    if is_post(record) and Holds.EMAIL not in found:
        return False
    if found & {Holds.EMAIL, Holds.NAME}:
        return True
    if Holds.LOGIN in found:
        return not course or bool(names & _SIGNS)
    if str(record.get("type")).lower() in _COURSES:
        return False
    return bool(names & _SIGNS) and not names & _NO_PEOPLE and (not course or "roles" in names)


def is_own_id(record: dict[str, JSON], key: str, name: str, *, person: bool) -> bool:
    """Tell whether a member is an id of the person that the object is, or refers to: `{"type": "user", "id": 1}`."""
    joined = "".join(words(key))
    if holds(name) is Holds.PERSON_ID and joined in {"identifier", "id", "value"}:
        return True
    if not _OWN_ID.fullmatch(joined):
        return False
    if joined in _PLAIN_IDS and not _is_itself(record):
        return False
    said = record.get("type")
    return person or (isinstance(said, str) and said.islower() and is_person_word(said))


def is_post(record: dict[str, JSON]) -> bool:
    """Tell whether an object is what somebody wrote, with who it was."""
    return bool(_names(record) & BODIES) and has_author(record)


def has_author(record: dict[str, JSON]) -> bool:
    """Tell whether an object names somebody."""
    return any(holds(key) in {Holds.PERSON_ID, Holds.NAME, Holds.PERSON, Holds.LOGIN} for key in record)


def called(record: dict[str, JSON], key: str) -> str:
    """Give what a value is called, by its neighbour if its own key only says `value`."""
    if holds(key) is not Holds.VALUE and key.lower() != "text":
        return key
    lower = {name.lower(): value for name, value in record.items()}
    for naming in _NAMING:
        said = lower.get(naming)
        if isinstance(said, str) and "://" in said:  # a claim's: only its end tells
            said = re.split(r"[/#]", said)[-1]
        if isinstance(said, str) and said and holds(said) not in {Holds.ANYTHING, Holds.CALLED, Holds.VALUE}:
            return said
    return key


def _is_itself(record: dict[str, JSON]) -> bool:
    """Tell whether an object's `id` is its own: a row that also names its person by an id is something else's."""
    return not _names(record) & {
        *("userid", "learnerid", "studentid", "personid", "employeeid", "memberid", "iduser", "authorid"),
    }


def _names(record: dict[str, JSON], empty: Iterable[JSON] = (None, "")) -> set[str]:
    return {re.sub(r"[\W_]", "", key).lower() for key, value in record.items() if value not in empty}


def cells_of(row: JSON) -> list[JSON] | None:
    """Give the cells of a table's row: it is a list, or an object with nothing but one: `{"columns": [...]}`."""
    if isinstance(row, dict) and len(row) == 1:
        row = next(iter(row.values()))
    return row if isinstance(row, list) else None


def as_table(record: dict[str, JSON]) -> tuple[str, str] | None:
    """Give the members that hold a table's heading and its rows, if an object is a table of lists."""
    for heading in ("columns", "headers", "header", "headings", "fields"):
        names = record.get(heading)
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            continue
        for rows in ("rows", "data", "values", "records", "items"):
            lists = record.get(rows)
            if (
                isinstance(lists, list)
                and lists
                and all((cells := cells_of(one)) is not None and len(cells) == len(names) for one in lists)
            ):
                return heading, rows
    return None
