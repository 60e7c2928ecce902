"""The first walk: who is in a recording, and which secrets."""

from __future__ import annotations

import base64
import binascii
import hashlib
import html
import re
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from .addresses import is_idlike, looks_secret
from .keys import Holds, holds, words
from .pseudonyms import STOP, folded, tokens
from .walk import ALONE, Walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ...native import JSON
    from .recorder import Taken

__all__ = ["AT", "BEARER", "EMAIL", "JWT", "KEYS", "People", "decoded", "hashed"]

_AT = r"(?:@|%40|&#64;|&#x40;|&commat;|\\u0040)"
AT = re.compile(_AT)
"""The sign, however it is escaped."""
EMAIL = re.compile(
    rf"""(?:[^\s@<>"'`(),;:\\/\[\]{{}}=&?|%]|%2[bB]|(?<=[^\W_])'(?=[^\W_])){{1,64}}{_AT}(?:[^\W_][\w-]*\.)+[^\W\d_][\w-]+"""
)
JWT = re.compile(r"eyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?")
BEARER = re.compile(
    r"\b(Bearer|Basic|Token|SSO-Key|OAuth)([ :=]+|%20)(?:token=)?\"?"
    r"((?=[\w+/=.~-]*(?:\d|(?-i:[a-z][A-Z])))[\w+/=.~-]{12,})\"?",  # no word: "Basic communication" is a title
    re.IGNORECASE,
)
KEYS = re.compile(
    r"\b((?:AKIA|ASIA|APKA)[0-9A-Z]{16}|gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[a-z]-[\w-]{10,}"
    r"|[sr]k[-_](?:live_|test_)?[\w-]{20,}|whsec_\w{16,}|AIza[\w-]{35}|ya29\.[\w-]{20,}|SG\.[\w-]{16,}\.[\w-]{6,})"
    r"|(?<![\w/])1//[\w-]{20,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
)
_RUN = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
_PARTS = (
    re.compile(r"\w*(first|given|fore)names?|first|given"),
    re.compile(r"\w*(last|family|sur)names?|last|family"),
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?|\d{1,2}[/.]\d{1,2}[/.]\d{4}.*")
_LOGIN = re.compile(r"\S{2,100}")
_HOW_SIGNED = {("method",), ("algorithm",), ("version",)}
"""Parts of a sign-in that say how it was signed: no secrets, and words of the API."""


class People(Walk):
    """Collects; gives every value back as it is."""

    def __init__(self, credentials: frozenset[str] = frozenset()) -> None:
        super().__init__(credentials)
        self.ids: set[str] = set()
        self.other_ids: set[str] = set()
        self.emails: set[str] = set()
        self.logins: set[str] = set()
        self.names: set[str] = set()
        self.titles: set[str] = set()
        """Titles of courses, as the unified result has them; names in them are replaced only if they are whole."""
        self.said: dict[str, None] = {}
        """What stands where titles and names of things do, in the order it came."""
        self.secrets: dict[str, str] = {}
        """Secrets with the names that they stood behind."""
        self.hosts: Counter[tuple[str, str]] = Counter()
        """Addresses' schemes and hosts."""

    # --- what is known from elsewhere ------------------------------------------------------------------------------

    def enrollments(self, found: Iterable[Mapping[str, Any]]) -> None:
        """Take the people of unified records, as JSON."""
        for one in found:
            for who in (one["user"], one["assigned_by"]):
                if who and who["id"]:
                    self._identified(who["id"])
                if who and who["name"]:
                    self._named(who["name"])
            for email in one["user"]["emails"]:
                self.leaf(Holds.EMAIL, email["email"], name="email")
            if title := one["course"]["title"]:
                self.titles.add(title)

    def headers(self, one: Taken) -> None:
        """Take the credentials in the headers of an exchange."""
        for name, value in one.request_headers:
            if name == "authorization":
                self._signed_in(value)
            elif name == "cookie" or holds(name) in {Holds.SECRET, Holds.LIKELY_SECRET} or name.startswith("x-auth"):
                self._parts(value, name)
        for name, value in one.headers:
            if name == "set-cookie":
                self._parts(value.partition(";")[0], "cookie")

    def _signed_in(self, value: str) -> None:
        scheme, _, credentials = value.partition(" ")
        self.secret(credentials or scheme, "token")
        for part in re.split(r"[,;]\s*", credentials):  # `token="..."`, or OAuth 1's many
            key, _, text = part.partition("=")
            if words(key)[-1:] in _HOW_SIGNED:
                continue
            if len(text.strip('"')) >= 8 and not text.startswith("="):  # noqa: PLR2004 - as for cookies
                self.secret(unquote(text.strip('"')), "token")
        if scheme.lower() == "basic" and (pair := decoded(credentials)) is not None:
            for part in pair.split(":", 1):
                self.secret(part, "password")

    def _parts(self, value: str, name: str) -> None:
        for part in value.split(";") if name == "cookie" else [value]:
            text = part.partition("=")[2].strip() if name == "cookie" else part.strip()
            if len(text) >= 8:  # noqa: PLR2004 - a shorter one is a preference
                self.secret(text, name)

    def secret(self, value: str, name: str) -> None:
        """Take a secret; the first name it has is the one that counts."""
        if value:
            self.secrets.setdefault(value, name)

    @property
    def title_words(self) -> set[str]:
        """The words of all titles."""
        return {folded(one[0]) for title in (*self.titles, *self.said) for one in tokens(html.unescape(title))}

    # --- the walk --------------------------------------------------------------------------------------------------

    def leaf(self, what: Holds, value: str | int, *, name: str = "") -> str | int:
        """Keep what a value tells about people."""
        text = str(value)
        self._found(text)
        keep = {
            Holds.NAME: self._named,
            Holds.LOGIN: self._logged,
            Holds.PERSON: self._person,
            Holds.PERSON_ID: self._identified,
            Holds.ID: self._other,
            Holds.EMAIL: self._mailed,
        }
        if what is Holds.SECRET or (what is Holds.LIKELY_SECRET and looks_secret(text)):
            self._secret(text, name)
        elif what is Holds.LIKELY_SECRET:
            self._other(text)
        elif what in keep:
            keep[what](text)
        return value

    def meet(self, record: dict[str, JSON]) -> None:
        """Keep the whole name of somebody whose object has it in parts."""
        given, family = (
            [text for key, text in record.items() if is_part.fullmatch(_joined(key))] for is_part in _PARTS
        )
        for first in given:
            for last in family:
                if isinstance(first, str) and isinstance(last, str) and _is_part(first) and _is_part(last):
                    self._named(f"{first} {last}")

    def text(self, text: str) -> str:
        """Look for e-mail addresses and credentials."""
        self._found(text)
        return text

    def title(self, text: str) -> str:
        """Keep a title, for whoever looks it over."""
        self._found(text)
        self.said[text] = None
        return text

    def origin(self, scheme: str, host: str) -> tuple[str, str]:
        """Count a host."""
        self.hosts[scheme, host.lower()] += 1
        return scheme, host

    def _found(self, text: str) -> None:
        for spelling in {text, html.unescape(text), unquote(text)} if set("&%\\") & set(text) else (text,):
            if AT.search(spelling):
                self.emails.update(AT.sub("@", one[0]) for one in EMAIL.finditer(spelling))
            for pattern in (JWT, KEYS):
                self.secrets.update(
                    {one[0]: "token" for one in pattern.finditer(spelling) if one[0] not in self.secrets}
                )
            for one in BEARER.finditer(spelling):
                self.secrets.setdefault(one[3], "token")
        if len(text) >= 12:  # noqa: PLR2004 - as the pattern
            for run in _RUN.finditer(text):
                if (inner := decoded(run[0])) is not None:
                    self._found(inner)

    def _secret(self, text: str, name: str) -> None:
        if "://" in text:
            self.anything(text)
        if text.casefold() not in STOP and len(text) > 1:
            self.secret(text, name)

    def _named(self, text: str) -> None:
        plain = EMAIL.sub(" ", html.unescape(text))
        if plain.strip() and plain.strip().casefold() not in {"null", "none", "n/a", "-"}:
            self.names.add(plain)

    def _mailed(self, text: str) -> None:
        if ALONE.fullmatch(text):
            self.emails.add(text.strip())
        elif "@" not in text and re.fullmatch(r"(?=.*[A-Za-z])[\w.+-]{4,}", text):
            self._logged(text)

    def _logged(self, text: str) -> None:
        if "@" in text:
            if ALONE.fullmatch(text):
                self.emails.add(text.strip())
            return
        if re.search(r"\s", text.strip()):
            self._named(text)
        elif text.isdecimal():
            self._identified(text)
        elif _LOGIN.fullmatch(text):
            self.logins.add(text)

    def _identified(self, text: str) -> None:
        if "@" in text or text.casefold() in STOP or not text.strip("0-"):
            return
        if re.search(r"[,;|]", text):
            for part in re.split(r"[,;|]\s*", text):
                self._identified(part)
        elif re.search(r"\s", text):
            self._named(text)
        elif text.isascii():
            self.ids.add(text)
        else:
            self.logins.add(text)

    def _person(self, text: str) -> None:
        if text.casefold() in STOP or "@" in text or text in {"0", "1", "-1"} or _DATE.fullmatch(text):
            return
        if is_idlike(text):
            self._identified(text)
        elif re.search(r"\s", text) or not text[:1].islower():
            self._named(text)
        else:
            self._logged(text)

    def _other(self, text: str) -> None:
        self.other_ids.add(text)
        self.other_ids.update(re.findall(r"[A-Za-z0-9]+", text))


def _is_part(text: str) -> bool:
    """Tell whether a text may be a part of a name: no address, as in `{"first": "https://..."}`, and no number."""
    return bool(text.strip()) and "://" not in text and not text.startswith("/") and not text.isdecimal()


def _joined(key: str) -> str:
    return "".join(words(key))


def decoded(run: str) -> str | None:
    """Read base64, of either alphabet; None if it is none, or holds no text."""
    if len(run.rstrip("=")) % 4 == 1:
        return None
    try:
        raw = base64.b64decode(run.rstrip("=").replace("-", "+").replace("_", "/") + "=" * (-len(run.rstrip("=")) % 4))
        text = raw.decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    return text if text.isprintable() or all(sign.isprintable() or sign in "\r\n\t" for sign in text) else None


def hashed(email: str, other: str) -> Iterator[tuple[str, str]]:
    """Give hashes of an address, each with the same one of another address."""
    for way in ("md5", "sha1", "sha256"):
        old, new = (hashlib.new(way, one.strip().lower().encode(), usedforsecurity=False) for one in (email, other))
        yield old.hexdigest(), new.hexdigest()
