"""Made-up names and e-mail addresses in the place of people's: always the same for the same, by a secret key."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from .native import JSON

__all__ = ["Pseudonyms"]

_EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}")
_OURS = re.compile(r"Person [0-9a-f]{10}|p-[0-9a-f]{10}(@person\.example\.com)?")
_WORD = re.compile(r"\w+")
_SURE = frozenset(
    (
        "firstname",
        "lastname",
        "givenname",
        "familyname",
        "middlename",
        "middlenames",
        "nickname",
        "surname",
        "forename",
        "maidenname",
        "sortablename",
        "username",
        "userlogin",
        "loginid",
        "sisloginid",
        "userfullname",
        "displayname",
        "preferredname",
        "alternatename",
        "lastnamephonetic",
        "firstnamephonetic",
        "phone",
        "phone1",
        "phone2",
        "mobile",
        "mobilephone",
        "phonenumber",
        "address",
        "avatarurl",
        "profileimageurl",
        "profileimageurlsmall",
        "avatar",
        "picture",
        "birthdate",
        "birthday",
        "dateofbirth",
        "login",
    )
)
"""Keys, without regard to case, - and _, whose texts are a person's wherever they stand."""
_PERSONAL = frozenset((*_SURE, "email", "emailaddress", "primaryemail"))
_IN_PERSON = frozenset(("name", "fullname", "shortname"))
"""Keys that are a person's in an object that has one of the others, and a course's elsewhere."""


class Pseudonyms:
    """Takes people's names and addresses out of JSON. What it made itself, it leaves as it is.

    Args:
        key: Secret; whoever has it can tell which made-up name a known name became.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def name(self, text: str) -> str:
        """Give the made-up name of a person."""
        return text if _OURS.fullmatch(text) else f"Person {self._mark(text)}"

    def email(self, text: str) -> str:
        """Give the made-up address for an address."""
        return text if _OURS.fullmatch(text) else f"p-{self._mark(text)}@person.example.com"

    def of(self, value: JSON, names: Collection[str] = (), keep: Collection[str] = ()) -> JSON:
        """Give JSON with made-up names and addresses.

        Args:
            value: Of a native record, or all of it.
            names: Names that are known to be people's: replaced wherever they stand.
            keep: Texts that are known to be nobody's, such as a course's title: left where a key only suggests a name.
        """
        known = sorted({name for name in names if len(name) > 1 and not _OURS.fullmatch(name)}, key=len, reverse=True)
        words = [frozenset(_words(name)) for name in known]
        return self._json(value, known, words, frozenset(keep))

    def _json(self, value: JSON, known: list[str], words: list[frozenset[str]], keep: frozenset[str]) -> JSON:
        if isinstance(value, str):
            return self._text(value, known, words)
        if isinstance(value, list):
            return [self._json(item, known, words, keep) for item in value]
        if not isinstance(value, dict):
            return value
        plain = {name: "".join(_words(name)) for name in value}
        personal = not _PERSONAL.isdisjoint(plain.values())
        found: dict[str, JSON] = {}
        for name, item in value.items():
            key = plain[name]
            if (
                isinstance(item, str)
                and item
                and (key in _SURE or (personal and key in _IN_PERSON and item not in keep))
            ):
                found[name] = self._whole(item)
            else:
                found[self._text(name, known, words)] = self._json(item, known, words, keep)
        return found

    def _whole(self, text: str) -> str:
        return self.email(text) if _EMAIL.fullmatch(text) else self.name(text)

    def _text(self, text: str, known: list[str], words: list[frozenset[str]]) -> str:
        if _OURS.fullmatch(text):
            return text
        if "@" in text:
            text = _EMAIL.sub(lambda found: self.email(found[0]), text)
        for name in known:
            if name in text:
                text = text.replace(name, self.name(name))
        said = set(_words(text)) if words and len(text) < _LONGEST_NAME else set[str]()
        if said and not text.isdigit() and any(said <= known_words for known_words in words):
            return self.name(text)
        return text

    def _mark(self, text: str) -> str:
        return hmac.new(self._key, text.strip().lower().encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[
            :10
        ]


_LONGEST_NAME = 200


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower().replace("_", " "))
