"""A walk through everything that an exchange holds, member by member, with what each one holds told by its name.

Whoever visits may give another value in place of each: the first visit collects, the second one cleans.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import TYPE_CHECKING

from ...errors import ContractError
from ...native import dump, parse
from .addresses import OF_PEOPLE_ONLY, Addresses, is_bookmark
from .keys import Holds, holds, is_person_word, words
from .namelike import may_name_somebody, names_somebody
from .objects import BODIES, as_table, called, cells_of, has_author, is_about_course, is_own_id, is_person
from .spelling import ATTRIBUTE, MAILBOX, NAME_AND_ID, URN

if TYPE_CHECKING:
    from ...native import JSON

__all__ = ["ADDRESS", "ALONE", "Walk"]

ADDRESS = re.compile(r"""(?:https?|ftp|wss?)://(?:[^\s<>"'`{}|\\^]|(?<=[(=,])'[^'\s<>"]*')+""", re.IGNORECASE)
_KEYED = re.compile(r"\d{1,30}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LONG_KEY = re.compile(r"\d{5,30}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
ALONE = re.compile(r"\s*[^\s@]+@[^\s@]+\s*")
"""An e-mail address and nothing else."""
_IN_TAGS = frozenset({Holds.ID, Holds.PERSON_ID, Holds.EMAIL, Holds.LOGIN, Holds.NAME, Holds.SECRET, Holds.PHONE})
_STRONG = frozenset({Holds.EMAIL, Holds.NAME, Holds.LOGIN})
_WHOLLY_PRIVATE = OF_PEOPLE_ONLY | {Holds.PHONE, Holds.WRITTEN, Holds.BIRTH}
"""What an object behind such a member holds is private whatever it is called."""
_BARE_PARTS = frozenset({"first", "last", "given", "family", "middle", "sur"})
"""Members of a person that hold a part of the name, however short it is."""
_NAME_PARTS = frozenset({"given", "family", "forename", "middle"})
"""Members of a name that is given in parts, `{"given": ..., "family": ...}`, besides those that say `name`."""
_ANSWERS = frozenset({"answer", "answers", "response", "responses"})
_OF_FIELDS = frozenset({"type", "datatype", "fieldtype", "field_type", "fieldname", "field_name", "format", "required"})
"""Members of a field of the tenant's that say what kind of field it is."""
_FILE = re.compile(r"\.[A-Za-z]{2,4}\d?$")
"""Names of files are no titles: whoever sent one is often named in it."""
_OF_VALUES = frozenset({Holds.PHONE, Holds.EMAIL, Holds.PERSON, Holds.PERSON_ID, Holds.LOGIN, Holds.NAME})
_WHICH_NAME = re.compile(
    r"(given|family|first|last|other|full|middle|nick|preferred|legal|display)[ _-]?name", re.IGNORECASE
)
"""A choice of the LMS's own, of which name is shown: `{"preferredDisplayName": "GivenName"}`."""
_DEEPEST = 4
"""So deep JSON inside a text inside JSON is looked into."""


class Walk(Addresses):
    """Goes through JSON, addresses, forms and texts.

    Args:
        credentials: Further names that secrets stand behind.
    """

    def __init__(self, credentials: frozenset[str] = frozenset()) -> None:
        self._credentials = credentials
        self._depth = 0

    # --- what a visitor does ---------------------------------------------------------------------------------------

    @abstractmethod
    def title(self, text: str) -> str:
        """Visit a title, or the name of what is no person."""

    def key(self, key: str) -> str:
        """Visit a member's name."""
        return key

    def meet(self, record: dict[str, JSON]) -> None:
        """Look at an object as a whole, before its members are visited."""

    # --- JSON ------------------------------------------------------------------------------------------------------

    def json(self, value: JSON, name: str = "", *, own: bool = False, in_person: bool = False) -> JSON:
        """Walk through a JSON value.

        Args:
            value: The value.
            name: The member that it stands at.
            own: Whether it belongs to a field that the tenant defined for people.
            in_person: Whether the object around it is a person.
        """
        if isinstance(value, dict):
            return self._object(value, name, own=own)
        if isinstance(value, list):
            what = self._what(name, own=own, in_person=in_person, course=False)
            if what is Holds.ANYTHING and is_person_word(name):
                what = Holds.PERSON
            return [
                self.json(item, name, own=own) if isinstance(item, (dict, list)) else self.scalar(what, item, name)
                for item in value
            ]
        return self.scalar(self._what(name, own=own, in_person=in_person, course=False), value, name)

    def _object(self, record: dict[str, JSON], name: str, *, own: bool, naming: bool = False) -> dict[str, JSON]:
        course = is_about_course(record, name)
        person = is_person(record, name, course=course)
        self.meet(record)
        if (table := as_table(record)) is not None:
            return self._table(record, *table)
        by_id = len(record) > 0 and all(_KEYED.fullmatch(key) for key in record)
        fields = (
            own or person or any(isinstance(one, dict) and is_person(one, "", course=False) for one in record.values())
        )
        walked: dict[str, JSON] = {}
        for key, value in record.items():
            said = called(record, key)
            what = self._in_object(record, key, name, own=own, person=person, course=course)
            bare = person and key.lower() in _BARE_PARTS and "://" not in str(value)
            if (naming or bare) and what in {Holds.ANYTHING, Holds.OWN_FIELD} and isinstance(value, str):
                what = Holds.NAME
            private = fields if holds(said) is Holds.OWN_FIELD else person
            inner_own = own or (private and holds(said) in _WHOLLY_PRIVATE and not key.startswith(("_", "@")))
            new = str(self.leaf(Holds.ID, key)) if by_id or _LONG_KEY.fullmatch(key) else self._renamed(key)
            if isinstance(value, dict):
                parts = what is Holds.NAME or bool(_NAME_PARTS & {part.lower() for part in value})
                walked[new] = (
                    self._pictures(value)
                    if what is Holds.PICTURE
                    else self._object(value, name if by_id else key, own=inner_own, naming=parts)
                )
            elif isinstance(value, list):
                walked[new] = self._list(value, name if by_id else key, what, own=inner_own)
            else:
                walked[new] = self.scalar(what, value, said)
        return walked

    def _in_object(  # noqa: PLR0911 - one line for each kind, in the order they win
        self, record: dict[str, JSON], key: str, name: str, *, own: bool, person: bool, course: bool
    ) -> Holds:
        """Tell what a member of an object holds: its neighbours and its value count, too."""
        said, value = called(record, key), record[key]
        if key in self._credentials:
            return Holds.SECRET
        what = self._what(said, own=own, in_person=person or said != key, course=course and not person)
        if (known := _told_around(record, key, name)) is not None:
            return known
        if what in {Holds.ID, Holds.ANYTHING} and is_own_id(record, key, name, person=person):
            return Holds.PERSON_ID
        if not isinstance(value, str):
            return what
        if key.startswith(("__", "@")) or (what is Holds.OWN_FIELD and key.lower() in _OF_FIELDS):
            return Holds.ANYTHING
        if key.lower() in _ANSWERS and re.search(r"\S\s+\S", value) and value[:1] not in "{[":
            return Holds.WRITTEN
        if what is not Holds.ANYTHING:
            return what
        if names_somebody(key, value):
            return Holds.NAME
        if person and may_name_somebody(key, value):
            return Holds.OWN_FIELD
        return Holds.WRITTEN if key.lower() in BODIES and has_author(record) else what

    def _table(self, record: dict[str, JSON], heading: str, rows: str) -> dict[str, JSON]:
        """Walk through rows that are lists, with their names beside them: `{"columns": [...], "rows": [[...]]}`."""
        names, lists = record[heading], record[rows]
        assert isinstance(names, list)  # noqa: S101 - as_table has looked
        assert isinstance(lists, list)  # noqa: S101 - as_table has looked
        said = [str(name) for name in names]  # two columns may be called the same
        said = [name if said.index(name) == at else f"{name} {at}" for at, name in enumerate(said)]
        new: list[JSON] = []
        for row in lists:
            named: dict[str, JSON] = dict(zip(said, cells_of(row) or [], strict=True))
            cells = list(self._object(named, rows, own=False).values())
            new.append(dict.fromkeys(row, cells) if isinstance(row, dict) else cells)
        return {key: new if key == rows else self.json(value, key) for key, value in record.items()}

    def _pictures(self, record: dict[str, JSON]) -> dict[str, JSON]:
        return {
            key: self.string(Holds.PICTURE, value) if isinstance(value, str) and "/" in value else self.json(value, key)
            for key, value in record.items()
        }

    def _list(self, items: list[JSON], key: str, what: Holds, *, own: bool) -> list[JSON]:
        if what is Holds.ANYTHING and is_person_word(key):
            what = Holds.PERSON
        return [
            self.json(item, key, own=own) if isinstance(item, (dict, list)) else self.scalar(what, item, key)
            for item in items
        ]

    def _renamed(self, key: str) -> str:
        """Clean a key that is itself somebody: an object by e-mail address."""
        return str(self.leaf(Holds.EMAIL, key)) if ALONE.fullmatch(key) else self.key(key)

    @staticmethod
    def _what(name: str, *, own: bool, in_person: bool, course: bool) -> Holds:
        what = holds(name)
        if what is Holds.CALLED:
            return Holds.NAME if in_person and not course else Holds.CALLED
        if what is Holds.VALUE:
            return Holds.OWN_FIELD if own else Holds.ANYTHING
        if what is Holds.PERSON and not (
            is_person_word(name, plural=False) or name.lower().endswith(("by", "to", "with"))
        ):
            return Holds.ANYTHING  # `users: 25` is a count
        if what in OF_PEOPLE_ONLY:
            return what if in_person or own else Holds.ANYTHING
        if what is Holds.ANYTHING and own:
            return Holds.OWN_FIELD
        return what

    def scalar(self, what: Holds, value: JSON, name: str = "") -> JSON:
        """Visit a text, a number, true, false or null."""
        if value is None or isinstance(value, (bool, float)) or value == "":
            return value
        if what is Holds.ANYTHING and is_bookmark(name, str(value)):
            what = Holds.ID
        if isinstance(value, int):
            return value if what in {Holds.ANYTHING, Holds.CALLED, Holds.CODE} else self.leaf(what, value, name=name)
        if not isinstance(value, str):
            return value
        return self.string(what, value, name)

    def string(self, what: Holds, value: str, name: str = "") -> str:  # noqa: PLR0911 - one line for each form
        """Visit a text; one without a kind of its own may hold JSON, addresses and anything else."""
        if "urn:" in value and what is not Holds.SECRET and URN.search(value):
            return self._between(URN, value, self._urn, lambda rest: self.string(what, rest, name))
        if re.fullmatch(r"\d+(\.\d+)+", value) and words(name)[-1:] in {("version",), ("release",), ("build",)}:
            return value
        if what is Holds.NAME and (_WHICH_NAME.fullmatch(value) or _says_both(name, value)):
            return value
        if what in {Holds.NAME, Holds.PERSON} and (found := NAME_AND_ID.fullmatch(value)):
            id = self.leaf(Holds.PERSON_ID, found["id"])
            return f"{self.string(Holds.NAME, found['name'])}{found['open']}{id}{found['close']}"
        if "@" in value and "<" in value and MAILBOX.search(value) and what is not Holds.WRITTEN:
            return self._between(MAILBOX, value, self._mailbox, self.anything)
        if what is Holds.CALLED:
            return self.anything(value, title=not _FILE.search(value))
        if what in {Holds.ANYTHING, Holds.CODE}:
            return self.anything(value, title=name.lower().endswith("title") and not _FILE.search(value))
        return str(self.leaf(what, value, name=name))

    def _mailbox(self, one: re.Match[str]) -> str:
        return f"{self.leaf(Holds.NAME, one['name'])}{one['open']}{self.leaf(Holds.EMAIL, one['mail'])}>"

    def _attribute(self, one: re.Match[str]) -> str:
        """Walk through an attribute of a tag: `href="/users/7"`, `data-user-id="7"`."""
        what, value = holds(one["name"]), one["value"]
        if value.startswith("/") or "://" in value:
            new = self.address(value)
        else:
            new = self.string(what, value) if what in _IN_TAGS else self.text(value)
        return f"{one['name']}={one['mark']}{new}{one['mark']}"

    def anything(self, value: str, *, title: bool = False) -> str:
        """Walk through a text that may hold JSON or addresses."""
        if len(value) > 1 and value[0] in '{["' and value[-1] in '}]"' and self._depth < _DEEPEST:
            try:
                inner = parse(value)
            except ContractError:
                pass
            else:
                self._depth += 1
                try:
                    walked = self.json(inner)
                finally:
                    self._depth -= 1
                return value if walked == inner else dump(walked)
        if "<" in value and ATTRIBUTE.search(value):
            return self._between(ATTRIBUTE, value, self._attribute, lambda rest: self.anything(rest, title=title))
        if "://" not in value:
            if value.startswith("/") and len(value) > 1 and not re.search(r"\s", value):
                return self.address(value)
            return self.title(value) if title else self.text(value)
        done, out = 0, ""
        for found in ADDRESS.finditer(value):
            url = found[0].rstrip(".,;:!?]" if found[0].count("(") >= found[0].count(")") else ".,;:!?)]")
            between = value[done : found.start()]
            out += (self.title(between) if title else self.text(between)) if between else ""
            out += self.address(url)
            done = found.start() + len(url)
        rest = value[done:]
        return out + ((self.title(rest) if title else self.text(rest)) if rest else "")


def _says_both(name: str, value: str) -> bool:
    return value.lower() == "both" and {"preferred", "display"} <= set(words(name))


def _told_around(record: dict[str, JSON], key: str, name: str) -> Holds | None:
    """Tell what a member holds whose own name does not tell: its object's name does, or a neighbour."""
    value, outer = record[key], holds(name)
    if holds(key) is Holds.VALUE and called(record, key) == key and outer in _OF_VALUES:
        return outer  # as SCIM's `{"phoneNumbers": [{"value": ...}]}`
    if key.lower() == "name" and any(other.lower() == "homepage" for other in record):
        return Holds.LOGIN  # xAPI's accounts
    if isinstance(value, str) and is_person_word(key) and re.fullmatch(r"[\w-]+([,;|]\s*[\w-]+)+", value):
        return Holds.PERSON_ID
    return None
