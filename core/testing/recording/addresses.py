"""A walk through addresses, queries and forms, part by part; what each one holds is told by the name before it."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus, unquote, unquote_plus, urlsplit

from .keys import Holds, holds, is_person_word, words
from .spelling import COMPARED, KEYED, URN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["OF_PEOPLE_ONLY", "Addresses", "is_bookmark", "is_idlike", "looks_secret"]

OF_PEOPLE_ONLY = frozenset({Holds.ADDRESS, Holds.PRIVATE, Holds.OWN_FIELD})
"""Only in a person's object such a member tells of one."""
_IDLIKE = re.compile(r"\d{1,30}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|(?=[^\d]*\d)[\w-]{6,64}")
_WORDS = re.compile(r"[A-Za-z]+([-_.]([A-Za-z]+|\d{1,4}))+")
"""A code made of words: `INTRO-TO-SAFETY-2026`."""
_SECRETLIKE = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[\w+/=.~%-]{16,}|[0-9]{20,}")
_BOOKMARKS = frozenset({"cursor", "bookmark", "startingafter", "after", "before", "sinceid", "skiptoken", "lastid"})
"""Members that say where a page ended: often with the id of whoever stood there."""
_SHORT = 5
"""Shorter bookmarks are numbers of pages."""
_HOOK = re.compile(r"\bhooks\.|webhook", re.IGNORECASE)
_OF_GRANTS = frozenset({"code", "device_code", "state", "assertion", "client_assertion", "password", "code_verifier"})
"""What a form that asks for a token gives away, however short it is."""
_SIGNED = frozenset({"assertion", "client_assertion"})
_SEVERAL = frozenset({Holds.ID, Holds.PERSON_ID, Holds.LOGIN, Holds.EMAIL})
"""Of these a parameter may list several, with a comma between."""
_VERSIONED = frozenset({"api", "rest", "ws", "version", "v"})


def is_idlike(text: str) -> bool:
    """Tell whether a text looks like an id: digits, a UUID, or letters with digits."""
    return bool(_IDLIKE.fullmatch(text)) and text.strip("0") != ""


def looks_secret(text: str) -> bool:
    """Tell whether a text looks like a credential."""
    return bool(_SECRETLIKE.fullmatch(text)) and not _WORDS.fullmatch(text)


def is_bookmark(name: str, value: str) -> bool:
    """Tell whether a value says where a page ended."""
    return len(value) >= _SHORT and "".join(words(name)) in _BOOKMARKS


class Addresses(ABC):
    """Goes through addresses and forms; see `Walk`."""

    @abstractmethod
    def leaf(self, what: Holds, value: str | int, *, name: str = "") -> str | int:
        """Visit a value; `what` is never `ANYTHING`."""

    @abstractmethod
    def text(self, text: str) -> str:
        """Visit a piece of free text that holds no address."""

    def segment(self, text: str) -> str:
        """Visit a part of a path of which nothing is known."""
        return self.text(text)

    @abstractmethod
    def origin(self, scheme: str, host: str) -> tuple[str, str]:
        """Visit an address's scheme, and its host with the port."""

    @abstractmethod
    def string(self, what: Holds, value: str, name: str = "") -> str:
        """Visit a text of some kind."""

    @abstractmethod
    def anything(self, value: str, *, title: bool = False) -> str:
        """Walk through a text of no kind."""

    @staticmethod
    def _between(
        pattern: re.Pattern[str], value: str, inside: Callable[[re.Match[str]], str], rest: Callable[[str], str]
    ) -> str:
        """Walk through what a pattern finds, and through the rest around it."""
        done, out, found = 0, "", list(pattern.finditer(value))
        if not found:
            return rest(value)
        for one in found:
            between = value[done : one.start()]
            out += (rest(between) if re.search(r"\w", between) else between) + inside(one)
            done = one.end()
        return out + (rest(value[done:]) if re.search(r"\w", value[done:]) else value[done:])

    def _urn(self, one: re.Match[str]) -> str:
        if one["id"]:
            return f"{one['kind']}{self.leaf(Holds.PERSON_ID, one['id'])}"
        return f"{one['kind']}{one['open']}{self.leaf(Holds.PERSON_ID, one['inner'])})"

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
        if _HOOK.search(parts.netloc + parts.path) and looks_secret(parts.path.rpartition("/")[2]):
            return f"{head}/{self.leaf(Holds.SECRET, parts.path.strip('/'), name='webhook')}"
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
        if "urn:" in text and URN.search(text):
            new = self._between(URN, text, self._urn, self.text)
        elif ";" in text and "=" in text:  # parameters of a matrix: `users;uid=7`
            first, *rest = text.split(";")
            pairs = [part.partition("=") for part in rest]
            new = ";".join(
                [
                    self._piece(first, before),
                    *(f"{name}{sign}{self._parameter(name, one)}" for name, sign, one in pairs),
                ]
            )
        elif found := KEYED.fullmatch(text):
            new = f"{found['name']}({self._keys(found['name'], found['inner'])})"
        else:
            new = ",".join(self._piece(piece, before) for piece in text.split(","))
        return segment if new == text else quote(new, safe=":,@!$&'()*+;=~-._")

    def _keys(self, name: str, inner: str) -> str:
        """Walk through the keys of OData's paths: `'E1'`, or `userId='E1',seq=2L`."""
        out: list[str] = []
        for one in inner.split(","):
            key, sign, value = one.rpartition("=")
            what = holds(key) if key else Holds.PERSON_ID if is_person_word(name) else Holds.ID
            bare = value.strip("'\"")
            new = value if what is Holds.ANYTHING or not bare else value.replace(bare, self.string(what, bare, key))
            out.append(f"{key}{sign}{new}")
        return ",".join(out)

    def _compared(self, one: re.Match[str]) -> str:
        what = self._of_parameter(re.split(r"[./!]", one["name"])[-1], one["value"])
        what = holds(re.sub(r"[./!]", "_", one["name"])) if what is Holds.ANYTHING or what is Holds.ID else what
        what = Holds.ID if what in {Holds.ANYTHING, Holds.CALLED, Holds.OWN_FIELD} else what
        return f"{one['name']}{one['sign']}{one['mark']}{self.string(what, one['value'], one['name'])}"

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
        return str(self.leaf(Holds.ID, piece)) if is_person_word(before) else self.segment(piece)

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
        signs_in = any(name == "grant_type" for name, _ in given)
        return [
            (name, self._of_grant(name, value))
            if signs_in and value and name in _OF_GRANTS
            else (name, self._parameter(self._meant(name, given), value))
            for name, value in given
        ]

    def _of_grant(self, name: str, value: str) -> str:
        new = str(self.leaf(Holds.SECRET, value, name=name))
        # signed anew for each request: the one of a replay is no other
        return f"made-up-{name.replace('_', '-')}" if name in _SIGNED and new != value else new

    @staticmethod
    def _meant(name: str, given: Sequence[tuple[str, str]]) -> str:
        """Give what a parameter is called, by its neighbour where it only says `value`: `criteria[0][key]=email`."""
        stem = re.sub(r"\[\d*\]$", "", name)
        last = (re.findall(r"\w+", stem) or [""])[-1]
        if holds(last) is not Holds.VALUE:
            inner = [part for part in re.findall(r"\w+", stem) if not part.isdecimal()]
            if holds(name) is not Holds.ANYTHING or not inner:
                return stem
            return next((part for part in reversed(inner) if holds(part) is not Holds.ANYTHING), inner[-1])
        prefix = stem[: stem.rfind(last)]
        for other, said in given:
            if other != name and other.startswith(prefix) and re.search(r"(name|key|field)\]?$", other):
                return said
        return name

    def _parameter(self, name: str, value: str) -> str:
        if not value:
            return value
        what = self._of_parameter(name, value)
        if is_bookmark(name, value):
            return self.string(Holds.ID, value, name)
        if what in {Holds.ANYTHING, Holds.CALLED, Holds.ID} and "://" not in value and COMPARED.search(value):
            return self._between(COMPARED, value, self._compared, self.anything)
        if what in {Holds.ANYTHING, Holds.CALLED, Holds.CODE} and re.fullmatch(r"-?[\d.]+", value):
            return value
        if what in _SEVERAL and re.search(r"[,;|]", value):  # `ids=m-1,m-2`, `username=ada,zoe`
            return "".join(
                self.string(what, one, name) if re.search(r"\w", one) else one for one in re.split(r"([,;|]\s*)", value)
            )
        return self.string(what, value, name)

    @staticmethod
    def _of_parameter(name: str, value: str) -> Holds:
        what = holds(name)
        if what is Holds.LIKELY_SECRET:
            return Holds.SECRET if looks_secret(value) else Holds.ANYTHING
        if what is Holds.CALLED or what in OF_PEOPLE_ONLY:
            return Holds.ANYTHING
        if what is Holds.PERSON and not is_person_word(name, plural=False) and not name.lower().endswith("by"):
            return Holds.ID if is_idlike(value) else Holds.ANYTHING
        return what
