"""The second walk: stand-ins in place of every secret and person."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from .addresses import looks_secret
from .ids import Ids
from .keys import Holds, holds, words
from .people import EMAIL, hashed
from .pseudonyms import STOP, Emails, Names, Numbered
from .texts import BASE, MADE_UP, PUBLIC, Texts, is_plain
from .walk import ALONE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .people import People

__all__ = ["Cleaner"]

_DATE = re.compile(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}([T ][\d:.+Z-]*)?")
_YES_NO = frozenset({"on", "off", "yes", "no", "true", "false", "y", "n", "0", "1", "null", "none"})
_MOST_SHORT = 5
_MOST_PIECES = 13
"""Parts of an id that has several, with what stands between them: seven are enough for a UUID and more."""
_OF_LEARNERS = "example.com"
_LONG, _SHORT = 8, 4
"""A shorter secret that stood behind a name, or in the settings, is only replaced there: others may say the same."""
_FEW = 200
"""So many secrets are looked for inside words; more only as words of their own."""


class Cleaner(Texts):
    """Gives stand-ins.

    Args:
        people: Who and what the first walk found.
        base: The LMS's own scheme and host; None takes the one that occurs most.
        known: Secrets of the settings with their stand-ins.
        shortest: Shorter ids stay.
        credentials: Further names that secrets stand behind.
        hosts: The vendor's own; they keep their names.
    """

    def __init__(
        self,
        people: People,
        base: tuple[str, str] | None,
        known: Mapping[str, str],
        *,
        shortest: int = 1,
        credentials: frozenset[str] = frozenset(),
        hosts: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(credentials)
        self._public = hosts
        self.images: dict[str, set[str]] = defaultdict(set)
        """Each text or number that was replaced, with what stands for it."""
        self.words = people.title_words
        self.ids = Ids(people.ids, people.other_ids, shortest=shortest)
        self.names = Names(sorted(people.names), self.words)
        self._known_names = people.names
        locals_ = people.logins | {email.partition("@")[0] for email in people.emails}
        # with zeros before it, so that stand-ins sort as their originals do
        digits = [len(str(len(each))) for each in (people.emails, people.logins)]
        self.emails = Emails(
            f"learner{{:0{digits[0]}}}@example.com", people.emails | {f"{one}@{_OF_LEARNERS}" for one in locals_}
        )
        self.logins = Numbered(f"login{{:0{digits[1]}}}", people.logins)
        for email in sorted(people.emails):
            self.emails.of(email)
        for login in sorted(people.logins):
            self.logins.of(login)
        self.hashes = {old: new for email in people.emails for old, new in hashed(email, self.emails.of(email))}
        """Hashes of addresses, as Gravatar's: they are soon guessed."""
        self._locals = {
            local: self.emails.of(email).partition("@")[0]
            for email in people.emails
            if len(local := email.partition("@")[0]) > _MOST_SHORT and not local.isalpha() and not local.isdecimal()
        }
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
            if host != self._base[1] and not self._is_public(host):
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
        if what is Holds.BIRTH and 1900 < value < 2100:  # noqa: PLR2004 - a year
            return 1990
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

    def key(self, key: str) -> str:
        """Replace a member's name that is somebody: a whole name, a login, an id with something around it."""
        if re.fullmatch(r"[A-Za-z_$]+", key):
            new = self.logins.get(key) if len(key) > _MOST_SHORT and holds(key) is Holds.ANYTHING else None
            return key if new is None or is_plain(key, self.words) else self._kept(key, new)
        parts = re.split(r"([^A-Za-z0-9]+)", key)
        joined = "".join((self.ids.get(part) if len(part) >= _MOST_SHORT else None) or part for part in parts)
        return self._kept(key, joined) if joined != key else self.title(key)

    def text(self, text: str) -> str:
        """Replace in a text what is surely somebody or secret."""
        return self._kept(text, self._cleaned(text, title=False))

    def title(self, text: str) -> str:
        """Replace in a title what is surely somebody or secret; a name only if it is whole."""
        return self._kept(text, self._cleaned(text, title=True))

    def origin(self, scheme: str, host: str) -> tuple[str, str]:
        """Give the made-up host."""
        host = host.lower()
        if self._is_public(host):
            return scheme, host
        if host != self._base[1]:
            return scheme, self._hosts.of(host)
        return "https" if scheme == self._base[0] else scheme, BASE

    def _is_public(self, host: str) -> bool:
        return host in self._public or bool(PUBLIC.fullmatch(host))

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
        if (composed := self._composed(value)) != value:
            return composed
        return value if value.isdecimal() else self.text(value)

    def _composed(self, value: str) -> str:
        """Replace ids of people within a longer one: the longest run of parts first, `_31_1:_201_1`, `c-7/ada`."""
        parts = re.split(r"([^A-Za-z0-9])", value)
        at, out = 0, ""
        while at < len(parts):
            for end in range(min(len(parts), at + _MOST_PIECES), at, -2):
                run = "".join(parts[at:end])
                if run and run != value and (new := self.ids.get(run) or self._login_within(run)) is not None:
                    break
            else:
                end, new = at + 1, parts[at]
            out += new + "".join(parts[end : end + 1])
            at = end + 1
        return out

    def _login_within(self, run: str) -> str | None:
        return None if is_plain(run, self.words) else self.logins.get(run)

    def segment(self, text: str) -> str:
        """Replace a part of a path that is somebody's id or login and nothing else: `/certificates/ada`."""
        known = None if text.casefold() in STOP or text.isdecimal() else self.ids.get(text) or self.logins.get(text)
        return self.text(text) if known is None else self._kept(text, known)

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
        if value in self._known_names:
            return self.names.name(value)
        return self.ids.get(value) or self._free(value)
