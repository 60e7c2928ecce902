"""Stand-ins for people and secrets: one for one, the same everywhere, and told apart from what is real."""

from __future__ import annotations

import html
import re
import unicodedata
from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

__all__ = ["STOP", "Emails", "Names", "Numbered", "tokens"]

STOP = frozenset(
    (
        *("admin", "administrator", "anonymous", "api", "all", "active", "assistant", "auto", "automatic"),
        *("automatically", "bot", "class", "course", "courses", "completed", "default", "deleted", "demo", "designer"),
        *("director", "editor", "employee", "enrolled", "everyone", "external", "failed", "false", "group", "guest"),
        *("import", "inactive", "instructor", "integration", "internal", "invited", "learner", "learners", "lms"),
        *("manager", "manual", "manually", "me", "member", "mentor", "none", "nobody", "null", "observer", "open"),
        *("rollbook", "owner", "passed", "pending", "private", "public", "rule", "root", "self", "service", "site"),
        *("staff", "student", "students", "super", "superadmin", "superadministrator", "support", "system", "teacher"),
        *("team", "test", "tester", "trainer", "true", "tutor", "type", "unassigned", "unknown", "user", "users"),
        *("email", "sms", "csv", "sso", "saml", "ldap", "scim", "daily", "weekly", "never", "always"),
        *("various", "yes", "no", "on", "off", "the", "and", "of", "for", "in", "to", "new"),
    )
)
"""Words of an LMS's own: they name nobody, even where a name is expected."""


# --- names -----------------------------------------------------------------------------------------------------------


@cache
def _word() -> re.Pattern[str]:
    """Make the pattern of a name's parts: letters with their marks, digits; or a run of signs that are neither."""
    marks = "".join(_ranges("M"))
    return re.compile(rf"(?:[^\W_]|[{marks}\u200c\u200d])+")


def _ranges(major: str) -> Iterator[str]:
    start: int | None = None
    for code in range(0x300, 0x1F000):
        inside = unicodedata.category(chr(code))[0] == major
        if inside and start is None:
            start = code
        elif not inside and start is not None:
            yield f"{chr(start)}-{chr(code - 1)}"
            start = None
    yield "\U000e0100-\U000e01ef"


def tokens(text: str) -> list[re.Match[str]]:
    """Cut a text into its words, with their places."""
    return list(_word().finditer(text))


def folded(token: str) -> str:
    """Make one of all spellings of a word: case, accents, composed or not."""
    if token.isascii():
        return token.casefold()
    plain = unicodedata.normalize("NFD", unicodedata.normalize("NFD", token).casefold())
    return unicodedata.normalize("NFC", _ACCENTS.sub("", plain).translate(_PLAIN))


_ACCENTS = re.compile("[\u0300-\u036f]+")
_PLAIN = str.maketrans({"ı": "i", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe"})  # noqa: RUF001
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]"
)
_LONG = 7
"""Shorter names without a blank may be any word."""
_SIGN = re.compile("[\u2190-\u2bff\U0001f000-\U0001faff\ufe0f]+")
_GAP = re.compile(r"[^\w\n]{0,4}|_|%20")
_SYLLABLES = [f"{first}{second}" for first in "bdfgklmnprstvz" for second in "aeiou"]


class Names:
    """Other names for people's, word by word: "Ada Lovelace", "Lovelace, Ada" and "Ada" agree.

    Args:
        people: Names as they stand in fields for names, whole or in parts.
        words: Words that occur in titles: alone they are no name.
    """

    def __init__(self, people: Iterable[str], words: Collection[str] = ()) -> None:
        self._of: dict[str, set[int]] = defaultdict(set)
        self._new: dict[str, str] = {}
        self._plain = {folded(word) for word in words} | STOP
        self._unspaced: dict[str, list[str]] = defaultdict(list)
        people = [html.unescape(name) for name in people]
        real = {folded(one[0]) for name in people for one in tokens(name)}
        stand_ins = _made_up(real)
        for number, name in enumerate(people):
            for one in tokens(name):
                key = folded(one[0])
                self._of[key].add(number)
                if key not in self._new:
                    self._new[key] = one[0] if one[0].isdecimal() else _initial(one[0]) or next(stand_ins)
        self._joined: dict[str, str] = {}
        """Names without a blank, and an initial with a family name: as they stand in logins and in names of files."""
        self._keep_joined(people)
        self._keep_unspaced(people)

    def _keep_joined(self, people: list[str]) -> None:
        for name in people:
            parts = [one[0] for one in tokens(name)]
            if len(parts) != 2 or _UNSPACED.match(name) or any(len(part) < 2 for part in parts):  # noqa: PLR2004
                continue
            new = [self._new[folded(part)] for part in parts]
            for first, last in ((0, 1), (1, 0)):
                whole, short = parts[first] + parts[last], parts[first][0] + parts[last]
                self._joined.setdefault(folded(whole), new[first] + new[last])
                if len(short) >= _LONG and folded(short) not in self._plain:
                    self._joined.setdefault(folded(short), new[first][0] + new[last])
                    self._joined.setdefault(folded(parts[last] + parts[first][0]), new[last] + new[first][0])
        self._joined = {old: new for old, new in self._joined.items() if len(old) >= _LONG and old not in self._plain}

    def _keep_unspaced(self, people: list[str]) -> None:
        """Keep names of scripts that are written without blanks: they are looked for inside longer words."""
        for name in people:
            parts = [one[0] for one in tokens(name)]
            for part in {*parts, "".join(parts), "".join(reversed(parts))}:
                if len(part) > 1 and _UNSPACED.match(part) and _UNSPACED.match(part[-1]):
                    known = self._unspaced[part[0]]
                    if part not in known:
                        known.append(part)
                        known.sort(key=len, reverse=True)
            if len(parts) > 1 and _UNSPACED.match(parts[0]):
                for order in (parts, parts[::-1]):
                    self._new.setdefault(folded("".join(order)), "".join(self._new[folded(part)] for part in order))

    def name(self, text: str) -> str:
        """Replace what stands in a field for a name: every word."""
        plain = html.unescape(text)
        out = self._words(plain, lambda _: True)
        out = _SIGN.sub("*", out)
        return out if plain == text else html.escape(out, quote=False)

    def text(self, text: str) -> str:
        """Replace names in a longer text: whole ones, and single words that are surely meant as names."""
        return self._inside(text, alone=True)

    def title(self, text: str) -> str:
        """Replace names in a title: whole ones only."""
        return self._inside(text, alone=False)

    def _inside(self, text: str, *, alone: bool) -> str:
        found = tokens(text)
        known = [self._of.get(folded(one[0])) for one in found]
        joined = {at for at, one in enumerate(found) if self._joined and folded(one[0]) in self._joined}
        if not any(known) and not joined and not (self._unspaced and _UNSPACED.search(text)):
            return text
        hits = joined
        for at, people in enumerate(known):
            if not people:
                continue
            if alone and self._is_name_alone(found[at][0]):
                hits.add(at)
            following = known[at + 1] if at + 1 < len(known) else None
            if following and people & following and folded(found[at][0]) != folded(found[at + 1][0]):
                gap = text[found[at].end() : found[at + 1].start()]
                if _GAP.fullmatch(gap):
                    hits |= {at, at + 1}
        places = {found[at].start() for at in hits}
        return self._within(self._words(text, lambda one: one.start() in places))

    def _is_name_alone(self, word: str) -> bool:
        if folded(word) in self._plain or word.isdecimal():
            return False
        if word[:1].lower() == word[:1].upper():  # a script without capitals
            return len(word) > 1
        return len(word) > 2 and word[:1].isupper()  # noqa: PLR2004 - shorter ones are initials and abbreviations

    def _words(self, text: str, wanted: Callable[[re.Match[str]], bool]) -> str:
        done, out = 0, list[str]()
        for one in tokens(text):
            if wanted(one):
                out += [text[done : one.start()], self._stand_in(one[0])]
                done = one.end()
        return "".join([*out, text[done:]])

    def _stand_in(self, word: str) -> str:
        new = self._new.get(folded(word)) or self._joined.get(folded(word))
        if new is None:
            within = self._within(word)
            return within if within != word else "X" * min(len(word), 3)  # none is let through in a field for names
        if len(word) > 1 and word.isupper():
            return new.upper()
        return new.lower() if word.islower() and word.upper() != word else new

    def _within(self, text: str) -> str:
        if not self._unspaced or not _UNSPACED.search(text):
            return text
        out, at = list[str](), 0
        while at < len(text):
            name = next((one for one in self._unspaced.get(text[at], ()) if text.startswith(one, at)), None)
            out.append(self._new[folded(name)] if name else text[at])
            at += len(name) if name else 1
        return "".join(out)


def _initial(word: str) -> str:
    """Give what stands for an initial: it is one."""
    return "X" if len(unicodedata.normalize("NFC", word)) == 1 and word.lower() != word.upper() else ""


def _made_up(real: Collection[str]) -> Iterator[str]:
    number = 0
    while True:
        rest, name = number, ""
        for _ in range(2 if number < len(_SYLLABLES) ** 2 else 4):
            rest, at = divmod(rest, len(_SYLLABLES))
            name += _SYLLABLES[(at * 11 + 3 * len(name)) % len(_SYLLABLES)]
        name = f"{name}n".capitalize()
        number += 1
        if folded(name) not in real and folded(name) not in STOP:
            yield name


# --- anything else ---------------------------------------------------------------------------------------------------


class Numbered:
    """Stand-ins by number, in the order their originals come up.

    Args:
        form: How one is spelled: `learner{}@example.com`.
        taken: Those that occur already, and are not given.
    """

    def __init__(self, form: str, taken: Collection[str] = ()) -> None:
        self._form = form
        self._taken = {one.casefold() for one in taken}
        self._new: dict[str, str] = {}
        self._number = 0

    def of(self, original: str) -> str:
        """Give the stand-in of a text, whatever its case."""
        key = original.casefold()
        if key not in self._new:
            while True:
                self._number += 1
                new = self._form.format(self._number)
                if new.casefold() not in self._taken:
                    break
            self._new[key] = new
        return self._new[key]

    def get(self, original: str) -> str | None:
        """Give the stand-in of a text that has one."""
        return self._new.get(original.casefold())

    def __len__(self) -> int:
        return len(self._new)


_NOBODYS = re.compile(
    r"(?P<mark>(?:(?:retired|deleted|removed|anonymi[sz]ed|redacted|former|user|account|learner|student)[._-]+)+)"
    r"[\w.+-]+@(?:[\w-]+\.)+invalid",
    re.IGNORECASE,
)
"""What an LMS writes in place of the address of somebody who has left; no mail reaches a domain under `.invalid`."""


class Emails(Numbered):
    """Stand-ins for e-mail addresses; that one was taken away stays to be seen: `retired__user_2@example.invalid`."""

    def of(self, original: str) -> str:
        """Give the stand-in of an address, whatever its case."""
        key = original.casefold()
        if key not in self._new and (found := _NOBODYS.fullmatch(original)):
            local = super().of(original).partition("@")[0]
            self._new[key] = f"{found['mark']}{local}@example.invalid"
        return super().of(original)
