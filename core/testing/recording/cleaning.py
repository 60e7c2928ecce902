"""The second walk: stand-ins in place of every secret and person."""

from __future__ import annotations

import base64
import html
import re
from collections import defaultdict
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from ...errors import ContractError
from ...native import dump, parse
from .ids import Ids
from .keys import Holds, words
from .people import ALONE, AT, BEARER, EMAIL, JWT, KEYS, decoded
from .pseudonyms import STOP, Names, Numbered, folded
from .walk import Walk, looks_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .people import People

__all__ = ["BASE", "MADE_UP", "Cleaner", "is_plain", "is_telling"]

BASE = "lms.example.com"
"""The host that stands for the LMS's."""
MADE_UP = "made-up"

_RUN = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
_WORDY = re.compile(r"[\w.+-]+(?:@[\w.-]+)?")
_IP = re.compile(r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w.])")
_IP6 = re.compile(r"(?<![\w:])(?:[0-9a-f]{1,4}:){3,7}(?::?[0-9a-f]{1,4}){1,4}(?![\w:])", re.IGNORECASE)
_HOST = re.compile(r"(?<![\w@.-])(?:[a-z0-9](?:[\w-]*[a-z0-9])?\.)+[a-z][a-z0-9-]+(?::\d+)?", re.IGNORECASE)
_DATE = re.compile(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}([T ][\d:.+Z-]*)?")
_DATA = re.compile(r"data:[\w/+.-]+;base64,[\w+/=]+")
_YES_NO = frozenset({"on", "off", "yes", "no", "true", "false", "y", "n", "0", "1", "null", "none"})
_PERCENT = re.compile(r"[\w.~+%-]+")
_LONG_RUN = re.compile(r"[\w+/=.~%-]{8,}")
_LONG, _SHORT = 8, 4
"""A shorter secret that stood behind a name, or in the settings, is only replaced there: others may say the same."""
_FEW = 200
"""So many secrets are looked for inside words; more only as words of their own."""


def is_plain(text: str, words: set[str]) -> bool:
    """Tell whether a login is a word like any other, so that it is no sign of a person in a text."""
    return len(text) < 4 or folded(text) in STOP or (text.isalpha() and folded(text) in words) or text.isdecimal()  # noqa: PLR2004


def is_telling(id: str) -> bool:
    """Tell whether an id is so long that it is no other number by chance: a UUID, digits beyond a time."""
    return len(id) >= 14 or (len(id) >= 10 and not id.isdecimal() and any(map(str.isdigit, id)))  # noqa: PLR2004


class Cleaner(Walk):
    """Gives stand-ins.

    Args:
        people: Who and what the first walk found.
        base: The LMS's own scheme and host; None takes the one that occurs most.
        known: Secrets of the settings with their stand-ins.
        shortest: Shorter ids stay.
        credentials: Further names that secrets stand behind.
    """

    def __init__(
        self,
        people: People,
        base: tuple[str, str] | None,
        known: Mapping[str, str],
        *,
        shortest: int = 1,
        credentials: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(credentials)
        self.images: dict[str, set[str]] = defaultdict(set)
        """Each text or number that was replaced, with what stands for it."""
        self.words = people.title_words
        self.ids = Ids(people.ids, people.other_ids, shortest=shortest)
        self.names = Names(sorted(people.names), self.words)
        self.emails = Numbered("learner{}@example.com", people.emails)
        self.logins = Numbered("login{}", people.logins)
        for email in sorted(people.emails):
            self.emails.of(email)
        for login in sorted(people.logins):
            self.logins.of(login)
        self._ips, self._written = Numbered("192.0.2.{}"), Numbered("made-up text {}")
        self._kinds: dict[str, Numbered] = {}
        self._secrets = dict(known)
        for secret, name in people.secrets.items():
            self._secrets.setdefault(secret, self._made_up(secret, name))
        long = {
            one
            for one in self._secrets
            if len(one) >= _LONG or (one in known and len(one) >= _SHORT and not one.isalpha())
        }
        few = long if len(long) <= _FEW else long & set(known)
        self._looked_for = sorted(few, key=len, reverse=True)
        self._looked_up = long - few
        self._base = base or next((key for key, _ in people.hosts.most_common(1)), ("https", BASE))
        self._hosts = Numbered("host{}.example.com")
        for _, host in people.hosts:
            if host != self._base[1]:
                self._hosts.of(host)

    # --- visits ----------------------------------------------------------------------------------------------------

    def leaf(self, what: Holds, value: str | int, *, name: str = "") -> str | int:
        """Give what stands for a value."""
        new = self._number(what, value) if isinstance(value, int) else self._of(what, value, name)
        if new != value:
            self.images[str(value)].add(str(new))
        return new

    def _number(self, what: Holds, value: int) -> int:
        text = str(value)
        if what in {Holds.ID, Holds.PERSON_ID, Holds.PERSON, Holds.LOGIN, Holds.LIKELY_SECRET}:
            return int(self.ids.get(text) or value)
        if what in {Holds.PHONE, Holds.SECRET, Holds.BIRTH} and len(text) > 5:  # noqa: PLR2004 - else a count or a flag
            return int("".join(str(1 + at % 9) if sign.isdigit() else sign for at, sign in enumerate(text)))
        if what is Holds.OWN_FIELD and len(text) > 5:  # noqa: PLR2004 - a number of that length names somebody
            return int(
                self.ids.get(text)
                or "".join(str(1 + at % 9) if sign.isdigit() else sign for at, sign in enumerate(text))
            )
        return value

    def _of(self, what: Holds, value: str, name: str) -> str:  # noqa: C901, PLR0911, PLR0912 - one line for each kind
        match what:
            case Holds.SECRET:
                return self._secret(value, name)
            case Holds.LIKELY_SECRET:
                return self._secret(value, name) if looks_secret(value) else self._id(value)
            case Holds.ID | Holds.PERSON_ID:
                return self._id(value)
            case Holds.NAME:
                return self._name(value)
            case Holds.LOGIN:
                return self._login(value)
            case Holds.EMAIL:
                if ALONE.fullmatch(value):
                    return self.emails.of(value.strip())
                return self.logins.get(value) or self.anything(value)
            case Holds.PERSON:
                return self._person(value)
            case Holds.PHONE:
                return re.sub(r"\d", "5", value) if any(map(str.isdigit, value)) else self._free(value)
            case Holds.BIRTH:
                return self._date(value)
            case Holds.IP:
                return self._ips.of(value) if re.search(r"[\d:]", value) else self.text(value)
            case Holds.PICTURE:
                is_link = "://" in value or value.startswith(("/", "data:"))
                return f"https://{BASE}/made-up-picture.png" if is_link else self._id(value)
            case Holds.OWN_FIELD:
                return self._own(value)
            case Holds.WRITTEN | Holds.ADDRESS | Holds.PRIVATE:
                return self._free(value)
            case _:
                return self.anything(value)

    def text(self, text: str) -> str:
        """Replace in a text what is surely somebody or secret."""
        return self._kept(text, self._cleaned(text, title=False))

    def title(self, text: str) -> str:
        """Replace in a title what is surely somebody or secret; a name only if it is whole."""
        return self._kept(text, self._cleaned(text, title=True))

    def origin(self, scheme: str, host: str) -> tuple[str, str]:
        """Give the made-up host."""
        host = host.lower()
        if host != self._base[1]:
            return scheme, self._hosts.of(host)
        return "https" if scheme == self._base[0] else scheme, BASE

    @property
    def replaced(self) -> int:
        """How many people got a stand-in so far: by their ids, or by their addresses if they have none."""
        by_id = sum(id in self.images for id, _ in self.ids.items())
        return by_id or len(self.emails)

    # --- kinds of values -------------------------------------------------------------------------------------------

    def _kept(self, old: str, new: str) -> str:
        if old != new:
            self.images[old].add(new)
        return new

    def _secret(self, value: str, name: str) -> str:
        if value in self._secrets:
            return self._secrets[value]
        if value.casefold() in STOP or len(value) == 1:
            return value
        self._secrets[value] = self._made_up(value, name)
        return self._secrets[value]

    def _made_up(self, secret: str, name: str) -> str:
        kind = "-".join(words(name)) or "secret"
        kind = kind if re.fullmatch(r"[a-z0-9-]{1,40}", kind) else "secret"
        new = self._kinds.setdefault(kind, Numbered(f"{MADE_UP}-{kind}-{{}}")).of(secret)
        if "://" in secret:
            return f"https://{BASE}/{new}"
        return new

    def _id(self, value: str) -> str:
        if "@" in value or "://" in value:
            return self.anything(value)
        if (new := self.ids.get(value)) is not None:
            return new
        if (new := self.logins.get(value)) is not None:
            return new
        parts = re.split(r"([^A-Za-z0-9]+)", value)
        if len(parts) > 1:
            joined = "".join(self.ids.get(part) or part for part in parts)
            if joined != value:
                return joined
        return value if value.isdecimal() else self.text(value)

    def _name(self, value: str) -> str:
        if "@" in value:
            return (
                EMAIL.sub(lambda one: self.emails.of(one[0]), value)
                if EMAIL.fullmatch(value.strip())
                else self.names.name(EMAIL.sub("", value))
            )
        return self.names.name(value)

    def _login(self, value: str) -> str:
        if ALONE.fullmatch(value):
            return self.emails.of(value.strip())
        if "@" in value:
            return self.anything(value)
        if re.search(r"\s", value.strip()):
            return self.names.name(value)
        return self.ids.get(value) or self.logins.get(value) or (value if value.isdecimal() else self.logins.of(value))

    def _person(self, value: str) -> str:
        if value.casefold() in STOP or value in {"0", "1", "-1"}:
            return value
        if "@" in value:
            return self.anything(value)
        known = self.ids.get(value) or self.logins.get(value)
        if known:
            return known
        return self._id(value) if any(map(str.isdigit, value)) else self.names.name(value)

    def _date(self, value: str) -> str:
        return (
            re.sub(r"\d", "1", value)
            if not _DATE.fullmatch(value)
            else re.sub(r"[1-9]", "1", re.sub(r"\d{4}", "1990", value).replace("1990", "\0")).replace("\0", "1990")
        )

    def _free(self, value: str) -> str:
        return self._written.of(value) if value.strip() and value.casefold() not in _YES_NO else value

    def _own(self, value: str) -> str:
        if value.casefold() in _YES_NO or not value.strip() or (value.isdecimal() and len(value) < 5):  # noqa: PLR2004
            return value
        if "@" in value or "://" in value:
            return self.anything(value)
        if _DATE.fullmatch(value):
            return self._date(value)
        return self.ids.get(value) or self._free(value)

    # --- texts -----------------------------------------------------------------------------------------------------

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
        if is_telling(word) and (new := self.ids.get(word)) is not None:
            return new + one[0][len(word) :]
        login = self.logins.get(word)
        if login is None or is_plain(word, self.words):
            return one[0]
        return login + one[0][len(word) :]

    def _unquoted(self, one: re.Match[str]) -> str:
        plain = unquote(one[0])
        if plain == one[0]:
            return plain
        clean = self._directly(plain, title=False)
        return one[0] if clean == plain else quote(clean, safe="")

    def _decoded(self, run: str, deep: int) -> str:
        """Clean what is written in base64, such as a bookmark that holds where a page ended."""
        inner = decoded(run)
        if inner is None or len(inner) < 4:  # noqa: PLR2004 - words happen to be base64
            return run
        is_json = inner[:1] in "{["
        clean = self._bookmark(inner) if is_json else self._cleaned(inner, title=False, deep=deep + 1)
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
