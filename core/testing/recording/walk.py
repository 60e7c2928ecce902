"""A walk through everything that an exchange holds, member by member, with what each one holds told by its name.

Whoever visits may give another value in place of each: the first visit collects, the second one cleans.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus, unquote, unquote_plus, urlsplit

from ...errors import ContractError
from ...native import dump, parse
from .keys import Holds, holds, is_course_like, is_person_word, may_name_somebody, names_somebody

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ...native import JSON

__all__ = ["ADDRESS", "Walk", "is_idlike", "looks_secret"]

ADDRESS = re.compile(r"""(?:https?|ftp|wss?)://[^\s<>"'`{}|\\^]+""", re.IGNORECASE)
_IDLIKE = re.compile(r"\d{1,30}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|(?=[^\d]*\d)[\w-]{6,64}")
_KEYED = re.compile(r"\d{1,30}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SECRETLIKE = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[\w+/=.~%-]{16,}|[0-9]{20,}")
_STRONG = frozenset({Holds.EMAIL, Holds.NAME, Holds.LOGIN})
_OF_PEOPLE_ONLY = frozenset({Holds.ADDRESS, Holds.PRIVATE, Holds.OWN_FIELD})
_WHOLLY_PRIVATE = _OF_PEOPLE_ONLY | {Holds.PHONE, Holds.WRITTEN, Holds.BIRTH}
"""What an object behind such a member holds is private whatever it is called."""
_NAMING = ("name", "key", "field", "fieldname", "shortname", "label", "title", "type", "id", "code")
_OWN_IDS = frozenset({"id", "uuid", "guid", "uid", "idnumber", "externalid", "integrationid"})
_SIGNS = frozenset(
    {"displayname", "fullname", "sortablename", "pronouns", "lastlogin", "lastloginat", "lastaccess", "profileimageurl"}
)
"""Members that people have; courses have some of them, too."""
_NAME_PARTS = frozenset({"given", "family", "forename", "middle"})
"""Members of a name that is given in parts, `{"given": ..., "family": ...}`, besides those that say `name`."""
_BODIES = frozenset({"message", "text", "body", "content", "html", "post", "messagehtml", "body_html", "reply"})
_DEEPEST = 4
"""So deep JSON inside a text inside JSON is looked into."""
_VERSIONED = frozenset({"api", "rest", "ws", "version", "v"})


def is_idlike(text: str) -> bool:
    """Tell whether a text looks like an id: digits, a UUID, or letters with digits."""
    return bool(_IDLIKE.fullmatch(text)) and text.strip("0") != ""


def looks_secret(text: str) -> bool:
    """Tell whether a text looks like a credential."""
    return bool(_SECRETLIKE.fullmatch(text))


class Walk(ABC):
    """Goes through JSON, addresses, forms and texts.

    Args:
        credentials: Further names that secrets stand behind.
    """

    def __init__(self, credentials: frozenset[str] = frozenset()) -> None:
        self._credentials = credentials
        self._depth = 0

    # --- what a visitor does ---------------------------------------------------------------------------------------

    @abstractmethod
    def leaf(self, what: Holds, value: str | int, *, name: str = "") -> str | int:
        """Visit a value; `what` is never `ANYTHING`."""

    @abstractmethod
    def text(self, text: str) -> str:
        """Visit a piece of free text that holds no address."""

    @abstractmethod
    def title(self, text: str) -> str:
        """Visit a title, or the name of what is no person."""

    @abstractmethod
    def origin(self, scheme: str, host: str) -> tuple[str, str]:
        """Visit an address's scheme, and its host with the port."""

    def meet(self, record: dict[str, JSON]) -> None:  # noqa: B027 - a visitor need not
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
        keys = frozenset(record)
        course = is_course_like(keys)
        person = self._is_person(record, name, course=course)
        self.meet(record)
        by_id = len(record) > 0 and all(_KEYED.fullmatch(key) for key in keys)
        walked: dict[str, JSON] = {}
        for key, value in record.items():
            called = self._called(record, key)
            what = self._what(called, own=own, in_person=person, course=course and not person)
            if key in self._credentials:
                what = Holds.SECRET
            if what is Holds.ID and person and re.sub(r"[\W_]", "", key).lower() in _OWN_IDS and _is_itself(record):
                what = Holds.PERSON_ID
            if what is Holds.ANYTHING and isinstance(value, str) and (naming or names_somebody(key, value)):
                what = Holds.NAME
            if what is Holds.ANYTHING and person and isinstance(value, str) and may_name_somebody(key, value):
                what = Holds.OWN_FIELD
            if what is Holds.ANYTHING and key.lower() in _BODIES and isinstance(value, str) and _has_author(record):
                what = Holds.WRITTEN
            inner_own = own or (person and holds(called) in _WHOLLY_PRIVATE)
            new = str(self.leaf(Holds.ID, key)) if by_id else self._renamed(key)
            if isinstance(value, dict):
                parts = what is Holds.NAME or bool(_NAME_PARTS & {part.lower() for part in value})
                walked[new] = self._object(value, name if by_id else key, own=inner_own, naming=parts)
            elif isinstance(value, list):
                walked[new] = self._list(value, name if by_id else key, what, own=inner_own)
            else:
                walked[new] = self.scalar(what, value, called)
        return walked

    def _list(self, items: list[JSON], key: str, what: Holds, *, own: bool) -> list[JSON]:
        if what is Holds.ANYTHING and is_person_word(key):
            what = Holds.PERSON
        return [
            self.json(item, key, own=own) if isinstance(item, (dict, list)) else self.scalar(what, item, key)
            for item in items
        ]

    def _renamed(self, key: str) -> str:
        """Clean a key that is itself somebody: an object by e-mail address."""
        return str(self.leaf(Holds.EMAIL, key)) if "@" in key else key

    @staticmethod
    def _called(record: dict[str, JSON], key: str) -> str:
        """Give what a value is called, by its neighbour if its own key only says `value`."""
        if holds(key) is not Holds.VALUE:
            return key
        for naming in _NAMING:
            said = record.get(naming)
            if isinstance(said, str) and said and holds(said) not in {Holds.ANYTHING, Holds.CALLED, Holds.VALUE}:
                return said
        return key

    @staticmethod
    def _is_person(record: dict[str, JSON], name: str, *, course: bool) -> bool:
        found = {holds(key) for key, value in record.items() if value not in (None, "", [], {})}
        if found & {Holds.EMAIL, Holds.NAME}:
            return True
        if is_person_word(name):
            return True
        names = {re.sub(r"[\W_]", "", key).lower() for key in record}
        if Holds.LOGIN in found:
            return not course or bool(names & _SIGNS)
        return bool(names & _SIGNS) and (not course or "roles" in names)

    @staticmethod
    def _what(name: str, *, own: bool, in_person: bool, course: bool) -> Holds:
        what = holds(name)
        if what is Holds.CALLED:
            return Holds.NAME if in_person and not course else Holds.CALLED
        if what is Holds.VALUE:
            return Holds.OWN_FIELD if own else Holds.ANYTHING
        if what is Holds.PERSON and not (is_person_word(name, plural=False) or name.lower().endswith("by")):
            return Holds.ANYTHING  # `users: 25` is a count
        if what in _OF_PEOPLE_ONLY:
            return what if in_person or own else Holds.ANYTHING
        if what is Holds.ANYTHING and own:
            return Holds.OWN_FIELD
        return what

    def scalar(self, what: Holds, value: JSON, name: str = "") -> JSON:
        """Visit a text, a number, true, false or null."""
        if value is None or isinstance(value, (bool, float)) or value == "":
            return value
        if isinstance(value, int):
            return value if what in {Holds.ANYTHING, Holds.CALLED, Holds.CODE} else self.leaf(what, value, name=name)
        if not isinstance(value, str):
            return value
        return self.string(what, value, name)

    def string(self, what: Holds, value: str, name: str = "") -> str:
        """Visit a text; one without a kind of its own may hold JSON, addresses and anything else."""
        if what is Holds.CALLED:
            return self.anything(value, title=True)
        if what in {Holds.ANYTHING, Holds.CODE}:
            return self.anything(value, title=name.lower().endswith("title"))
        return str(self.leaf(what, value, name=name))

    def anything(self, value: str, *, title: bool = False) -> str:
        """Walk through a text that may hold JSON or addresses."""
        if value[:1] in "{[" and value[-1:] in "}]" and self._depth < _DEEPEST:
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
        if "://" not in value:
            if value.startswith("/") and len(value) > 1 and not re.search(r"\s", value):
                return self.address(value)
            return self.title(value) if title else self.text(value)
        done, out = 0, ""
        for found in ADDRESS.finditer(value):
            url = found[0].rstrip(".,;:!?)]")
            between = value[done : found.start()]
            out += (self.title(between) if title else self.text(between)) if between else ""
            out += self.address(url)
            done = found.start() + len(url)
        rest = value[done:]
        return out + ((self.title(rest) if title else self.text(rest)) if rest else "")

    # --- addresses and forms ---------------------------------------------------------------------------------------

    def address(self, url: str) -> str:
        """Walk through an address, whole or from its path on; a login in it is left out."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return self.text(url)
        head = ""
        if parts.netloc:
            scheme, host = self.origin(parts.scheme.lower(), parts.netloc.rpartition("@")[2])
            head = f"{scheme}://{host}" if parts.scheme else f"//{host}"
        out = head + self.path(parts.path)
        if parts.query or url.partition("#")[0].endswith("?"):
            out += "?" + self.query(parts.query)
        if parts.fragment:
            inner = parts.fragment
            if inner.startswith("/"):
                out += "#" + self.address(inner)
            else:
                out += "#" + (self.query(inner) if "=" in inner else self._segment(inner, ""))
        return out

    def path(self, path: str) -> str:
        """Walk through a path, segment by segment."""
        before, out = "", list[str]()
        for segment in path.split("/"):
            out.append(self._segment(segment, before) if segment else segment)
            before = segment or before
        return "/".join(out)

    def _segment(self, segment: str, before: str) -> str:
        text = unquote(segment)
        pieces = text.split(",")
        new = ",".join(self._piece(piece, before) for piece in pieces)
        return segment if new == text else quote(new, safe=":,@!$&'()*+;=~-._")

    def _piece(self, piece: str, before: str) -> str:
        name, colon, value = piece.partition(":")
        if colon and value and re.fullmatch(r"[A-Za-z_]\w*", name):
            what = self._of_parameter(name, value)
            if what is Holds.ID and is_person_word(before) and name.lower() == "id":
                what = Holds.PERSON_ID
            return f"{name}:{value if what is Holds.ANYTHING and value.isdecimal() else self.string(what, value, name)}"
        if before.lower() in _VERSIONED:
            return piece
        if holds(before) in {Holds.SECRET, Holds.LIKELY_SECRET} and looks_secret(piece):
            return str(self.leaf(Holds.SECRET, piece, name=before))
        if is_idlike(piece):
            return str(self.leaf(Holds.PERSON_ID if is_person_word(before) else Holds.ID, piece))
        return str(self.leaf(Holds.ID, piece)) if is_person_word(before) else self.text(piece)

    def query(self, query: str) -> str:
        """Walk through a query or a form as it is spelled; what does not change stays as it is spelled."""
        raw = query.split("&")
        spelled = [(unquote_plus(pair.partition("=")[0]), unquote_plus(pair.partition("=")[2])) for pair in raw]
        values = self.pairs(spelled)
        out: list[str] = []
        for pair, (_, old), (name, new) in zip(raw, spelled, values, strict=True):
            out.append(pair if new == old else f"{quote_plus(name, safe='[]:')}={quote_plus(new, safe=':,/@')}")
        return "&".join(out)

    def pairs(self, pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Walk through names and values of a query or a form."""
        given = list(pairs)
        return [(name, self._parameter(self._meant(name, given), value)) for name, value in given]

    @staticmethod
    def _meant(name: str, given: Sequence[tuple[str, str]]) -> str:
        """Give what a parameter is called, by its neighbour where it only says `value`: `criteria[0][key]=email`."""
        stem = re.sub(r"\[\d*\]$", "", name)
        last = (re.findall(r"\w+", stem) or [""])[-1]
        if holds(last) is not Holds.VALUE:
            inner = [part for part in re.findall(r"\w+", stem) if not part.isdecimal()]
            return inner[-1] if inner and holds(name) is Holds.ANYTHING else stem
        prefix = stem[: stem.rfind(last)]
        for other, said in given:
            if other != name and other.startswith(prefix) and re.search(r"(name|key|field)\]?$", other):
                return said
        return name

    def _parameter(self, name: str, value: str) -> str:
        if not value:
            return value
        what = self._of_parameter(name, value)
        if what in {Holds.ANYTHING, Holds.CALLED, Holds.CODE} and re.fullmatch(r"-?[\d.]+", value):
            return value
        return self.string(what, value, name)

    @staticmethod
    def _of_parameter(name: str, value: str) -> Holds:
        what = holds(name)
        if what is Holds.LIKELY_SECRET:
            return Holds.SECRET if looks_secret(value) else Holds.ANYTHING
        if what is Holds.CALLED or what in _OF_PEOPLE_ONLY:
            return Holds.ANYTHING
        if what is Holds.PERSON and not is_person_word(name, plural=False) and not name.lower().endswith("by"):
            return Holds.ID if is_idlike(value) else Holds.ANYTHING
        return what


def _is_itself(record: dict[str, JSON]) -> bool:
    """Tell whether an object's `id` is its own: a row that also names its person by an id is something else's."""
    names = {re.sub(r"[\W_]", "", key).lower() for key, value in record.items() if value not in (None, "")}
    return not names & {"userid", "learnerid", "studentid", "personid", "employeeid", "memberid", "iduser"}


def _has_author(record: dict[str, JSON]) -> bool:
    """Tell whether an object is what somebody said."""
    return any(holds(key) in {Holds.PERSON_ID, Holds.NAME, Holds.PERSON, Holds.LOGIN} for key in record)
