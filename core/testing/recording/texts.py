"""Texts of which nothing is known: whatever in them is surely somebody or secret is replaced, however it is spelled."""

from __future__ import annotations

import base64
import html
import re
from abc import abstractmethod
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from ...errors import ContractError
from ...native import dump, parse
from .keys import Holds
from .people import AT, BEARER, EMAIL, JWT, KEYS, decoded
from .pseudonyms import STOP, Names, Numbered, folded
from .walk import Walk

if TYPE_CHECKING:
    from .ids import Ids

__all__ = ["BASE", "MADE_UP", "PUBLIC", "Texts", "is_plain", "is_telling"]

BASE = "lms.example.com"
"""The host that stands for the LMS's."""
MADE_UP = "made-up"

_RUN = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
_WORDY = re.compile(r"[\w.+-]+(?:@[\w.-]+)?")
_IP = re.compile(r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w.])")
_IP6 = re.compile(r"(?<![\w:])(?:[0-9a-f]{1,4}:){3,7}(?::?[0-9a-f]{1,4}){1,4}(?![\w:])", re.IGNORECASE)
_HOST = re.compile(r"(?<![\w@.-])(?:[a-z0-9](?:[\w-]*[a-z0-9])?\.)+[a-z][a-z0-9-]+(?::\d+)?", re.IGNORECASE)
PUBLIC = re.compile(
    r"(?:[\w-]+\.)*(?:adlnet\.gov|w3\.org|w3id\.org|imsglobal\.org|schema\.org|xmlsoap\.org|activitystrea\.ms)"
)
"""Hosts that only name what is meant, as in xAPI's verbs."""
_PHONE = re.compile(r"(?<![\w:.+/=-])\+\d{1,3}(?:[ ().-]{0,2}\d){7,12}(?![\w])")
_DATA = re.compile(r"data:[\w/+.-]+;base64,[\w+/=]+")
_PERCENT = re.compile(r"[\w.~+%-]+")
_LONG_RUN = re.compile(r"[\w+/=.~%-]{8,}")
_MOST_PARTS, _PACKED = 7, 24


def is_plain(text: str, words: set[str]) -> bool:
    """Tell whether a login is a word like any other, so that it is no sign of a person in a text."""
    return (
        len(text) < (5 if text.isalpha() else 4)
        or folded(text) in STOP
        or (text.isalpha() and folded(text) in words)
        or text.isdecimal()
    )


def is_telling(id: str) -> bool:
    """Tell whether an id is no other number or word by chance: a UUID, digits beyond a time, letters with digits."""
    digits = sum(map(str.isdigit, id))
    return len(id) >= 14 or (len(id) >= 6 and digits >= 3 and not id.isdecimal())  # noqa: PLR2004


class Texts(Walk):
    """Cleans texts with what a cleaner knows."""

    ids: Ids
    names: Names
    emails: Numbered
    logins: Numbered
    words: set[str]
    """Words of titles."""
    hashes: dict[str, str]
    """Hashes of addresses, as Gravatar's: they are soon guessed."""
    _ips: Numbered
    _hosts: Numbered
    _locals: dict[str, str]
    _secrets: dict[str, str]
    _looked_for: list[str]
    _looked_up: set[str]
    _base: tuple[str, str]

    @abstractmethod
    def _secret(self, value: str, name: str) -> str:
        """Give what stands for a secret."""

    def _cleaned(self, text: str, *, title: bool, deep: int = 0) -> str:
        new = self._directly(text, title=title)
        if deep < 2:  # noqa: PLR2004 - escaped, and escaped again
            if "&" in new and (plain := html.unescape(new)) != new:
                clean = self._cleaned(plain, title=title, deep=deep + 1)
                new = new if clean == plain else html.escape(clean, quote=False)
            if "\\u" in new and (plain := _unescaped(new)) != new:
                clean = self._cleaned(plain, title=title, deep=deep + 1)
                new = new if clean == plain else clean
            if "%" in new:
                new = _PERCENT.sub(self._unquoted, new)
            new = _RUN.sub(lambda run: self._decoded(run[0], deep), new)
        return new

    def _directly(self, text: str, *, title: bool) -> str:
        for secret in self._looked_for:
            if secret in text:
                text = text.replace(secret, self._secrets[secret])
        if self._looked_up:
            text = _LONG_RUN.sub(lambda one: self._secrets[one[0]] if one[0] in self._looked_up else one[0], text)
        text = _DATA.sub("data:image/png;base64,", text)
        for pattern in (JWT, KEYS):
            text = pattern.sub(lambda one: self._secret(one[0], "token"), text)
        text = BEARER.sub(
            lambda one: one[0] if one[3].startswith(MADE_UP) else f"{one[1]} {self._secret(one[3], 'token')}", text
        )
        if AT.search(text):
            text = EMAIL.sub(lambda one: self._email(one[0]), text)
        if "+" in text:
            text = _PHONE.sub(lambda one: re.sub(r"\d", "5", one[0]), text)
        text = _HOST.sub(self._host, text)
        text = _WORDY.sub(self._wordy, text)
        text = self.names.title(text) if title else self.names.text(text)
        if text.count(".") > 2 or text.count(":") > 2:  # noqa: PLR2004 - an address has so many
            text = _IP6.sub("2001:db8::1", _IP.sub(lambda one: self._ips.of(one[0]), text))
        return text

    def _email(self, spelled: str) -> str:
        sign = AT.search(spelled)
        at = sign[0] if sign else "@"
        return self.emails.of(spelled.replace(at, "@")).replace("@", at)

    def _host(self, one: re.Match[str]) -> str:
        return BASE if one[0].lower() == self._base[1] else self._hosts.get(one[0]) or one[0]

    def _wordy(self, one: re.Match[str]) -> str:
        word = one[0].rstrip(".-+")
        if (new := self._token(word)) is not None:
            return new + one[0][len(word) :]
        parts = re.split(r"([_.+-])", word)
        if len(parts) < 3:  # noqa: PLR2004 - one part
            return one[0]
        at, out = 0, ""
        while at < len(parts):  # the longest run of parts that is somebody: `ada.lovelace_500.jpg`
            end, new = self._longest(parts, at)
            out += new + "".join(parts[end : end + 1])
            at = end + 1
        return out + one[0][len(word) :]

    def _longest(self, parts: list[str], at: int) -> tuple[int, str]:
        """Give where the longest run ends that is somebody, with the stand-in; else the one part as it is."""
        for end in range(min(len(parts), at + _MOST_PARTS), at, -2):
            if (new := self._token("".join(parts[at:end]))) is not None:
                return end, new
        return at + 1, parts[at]

    def _token(self, word: str) -> str | None:
        """Give what stands for a word that is surely somebody's id or login."""
        if (new := self.hashes.get(word.lower())) is not None:
            return new
        if is_telling(word) and (new := self.ids.get(word)) is not None:
            return new
        if (new := self._locals.get(word)) is not None:
            return new
        login = self.logins.get(word)
        return None if login is None or is_plain(word, self.words) else login

    def _unquoted(self, one: re.Match[str]) -> str:
        plain = unquote(one[0])
        if plain == one[0]:
            return plain
        clean = self._directly(plain, title=False)
        return one[0] if clean == plain else quote(clean, safe="")

    def _decoded(self, run: str, deep: int) -> str:
        """Clean what is written in base64, such as a bookmark that holds where a page ended."""
        if run.startswith("H4sI") and len(run) > _PACKED:  # packed, so that nothing in it is seen
            return self._secret(run, "packed")
        inner = decoded(run)
        if inner is None or len(inner) < 4:  # noqa: PLR2004 - words happen to be base64
            return run
        is_json = inner[:1] in "{["
        clean = self._bookmark(inner) if is_json else self._cleaned(inner, title=False, deep=deep + 1)
        if not is_json:  # numbers in a bookmark are mostly ids
            clean = re.sub(r"(?<!\w)\d{4,}(?!\w)", lambda one: self.ids.get(one[0]) or one[0], clean)
        if clean == inner:
            return run
        new = base64.b64encode(clean.encode()).decode()
        if "=" not in run:
            new = new.rstrip("=")
        return new.replace("+", "-").replace("/", "_") if not set("+/") & set(run) else new

    def _bookmark(self, inner: str) -> str:
        try:
            value = parse(inner)
        except ContractError:
            return self._cleaned(inner, title=False, deep=2)
        walked = self.json(
            [self.scalar(Holds.ID, one) if not isinstance(one, (dict, list)) else one for one in value]
            if isinstance(value, list)
            else value
        )
        return inner if walked == value else dump(walked)


def _unescaped(text: str) -> str:
    return re.sub(r"\\u([0-9a-fA-F]{4})", lambda one: chr(int(one[1], 16)), text)
