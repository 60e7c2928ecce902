"""The proof of a cleaned recording: it reads as the original did, and holds nothing of it that it must not."""

from __future__ import annotations

import base64
import html
import re
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from ...errors import RollbookError
from .keys import Holds
from .people import decoded, hashed
from .pseudonyms import STOP, folded, tokens
from .texts import MADE_UP, is_plain, is_telling

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .cleaning import Cleaner
    from .people import People
    from .recorder import Taken

__all__ = ["differing", "look_through", "texts_of"]

_KINDS = (Holds.ID, Holds.PERSON_ID, Holds.NAME, Holds.EMAIL, Holds.LOGIN, Holds.PERSON, Holds.SECRET)


# --- it reads as the original did ------------------------------------------------------------------------------------


def differing(original: Mapping[str, Any], replayed: Mapping[str, Any], cleaner: Cleaner) -> list[str]:
    """Name the fields in which a replay differs from the original reading by more than stand-ins; no values.

    Args:
        original: What was read, as `read_case` gives it.
        replayed: What the cleaned recording gives.
        cleaner: Knows what stands for what.
    """
    found = {one["id"]: one for one in replayed["enrollments"]}
    names: dict[str, None] = {}
    for one in original["enrollments"]:
        other = found.pop(str(cleaner.leaf(Holds.ID, one["id"])), None)
        if other is None:
            names["id"] = None
            continue
        names |= dict.fromkeys(_fields(one, other, cleaner))
    if found:
        names["id"] = None
    if original["skipped"] != replayed["skipped"]:
        names["skipped"] = None
    reasons = [sorted(str(each["reason"]) for each in side["rejected"]) for side in (original, replayed)]
    if len(reasons[0]) != len(reasons[1]):
        names["rejected"] = None
    drifts = [sorted((what, count) for what, _, count in side["drift"]) for side in (original, replayed)]
    if drifts[0] != drifts[1]:
        names["drift"] = None
    return list(names)


def _fields(one: Any, other: Any, cleaner: Cleaner, path: str = "") -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        yield from _members(cast("dict[str, Any]", one), cast("dict[str, Any]", other), cleaner, path)
    elif isinstance(one, list) and isinstance(other, list):
        first, second = cast("list[Any]", one), cast("list[Any]", other)
        if len(first) != len(second):
            yield path
            return
        for value, new in zip(first, second, strict=True):
            yield from _fields(value, new, cleaner, path)
    elif not _stands_for(one, other, cleaner):
        yield path


def _members(left: dict[str, Any], right: dict[str, Any], cleaner: Cleaner, path: str) -> Iterator[str]:
    if len(left) != len(right):
        yield path or "*"
        return
    for (key, value), (new_key, new) in zip(left.items(), right.items(), strict=True):
        at = key if not path else f"{path}.{key}" if path in _FIXED else f"{path}.*"
        if key != new_key and not _stands_for(key, new_key, cleaner):
            yield f"{path}.*" if path else "*"
        yield from _fields(value, new, cleaner, at)


_FIXED = frozenset({"user", "user.emails", "course", "assigned_by", "urls", "custom_fields", "remote_data"})
"""Members of these are named in messages; deeper ones could be named by somebody's data."""


def _stands_for(one: Any, other: Any, cleaner: Cleaner) -> bool:
    if one == other and isinstance(one, bool) is isinstance(other, bool):
        return True
    if isinstance(one, (bool, float)) or isinstance(other, (bool, float)) or one is None or other is None:
        return False
    if str(other) in cleaner.images.get(str(one), ()):
        return True
    if isinstance(one, int) or isinstance(other, int):
        return cleaner.ids.get(str(one)) == str(other)
    if not isinstance(one, str) or not isinstance(other, str):
        return False
    candidates = {cleaner.anything(one), cleaner.anything(one, title=True)}
    return other in candidates or any(str(cleaner.leaf(kind, one)) == other for kind in _KINDS)


# --- it holds nothing that it must not -------------------------------------------------------------------------------


def texts_of(number: int, one: Taken) -> list[tuple[str, str]]:
    """Give all texts of an exchange, each with where it stands."""
    where = f"exchange {number} ({one.method})"
    return [
        (f"{where}, its address", one.url),
        (f"{where}, its form or body", one.posted.decode("utf-8", "replace")),
        (f"{where}, the answer's headers", "\n".join(value for _, value in one.headers)),
        (f"{where}, the answer's body", one.content.decode("utf-8", "replace")),
    ]


def look_through(
    texts: Iterable[tuple[str, str]], people: People, settings: Iterable[str], *, stays: Iterable[str] = ()
) -> None:
    """Look for what must not be there.

    Args:
        texts: Texts, each with where it stands.
        people: Who and what the recording held.
        settings: Secrets of the settings.
        stays: Texts that are known to be made up.

    Raises:
        RollbookError: Something is there; the text says what kind of thing, and where, but not what.
    """
    wanted = dict(_wanted(people, set(settings), set(stays)))
    parts = {form: frozenset(_WORD.findall(form)) for form, (_, is_word) in wanted.items() if is_word}
    # an address may stand inside longer words, so that its first and last ones tell nothing
    parts |= {form: frozenset(_WORD.findall(form)[1:-1]) for form in wanted if form not in parts and "@" in form}
    hashes = {old for email in people.emails for old, _ in hashed(email, "")}
    for where, text in texts:
        folded_text = _fold("\n".join(_spellings(text)))
        said = set(_WORD.findall(folded_text))
        if hashes & said:
            raise _leak("the hash of an e-mail address", where)
        for form, (kind, is_word) in wanted.items():
            if parts.get(form, said) <= said and form in folded_text and (not is_word or _stands_in(form, folded_text)):
                raise _leak(kind, where)


_WORD = re.compile(r"[^\W_]+")


def _stands_in(form: str, text: str) -> bool:
    return bool(re.search(rf"(?<![^\W_]){re.escape(form)}(?![^\W_])", text))


def _leak(kind: str, where: str) -> RollbookError:
    return RollbookError(
        f"nothing was kept: {kind} would still be in the file",
        where=where,
        hint="Please report in which LMS and which member it stands (not what it says): it should have been replaced.",
    )


def _wanted(people: People, settings: set[str], stays: set[str]) -> Iterator[tuple[str, tuple[str, bool]]]:
    words = people.title_words
    for secret in {*people.secrets, *settings} - stays:
        short = len(secret) < (4 if secret in settings else 8)
        if not short and not secret.startswith(MADE_UP) and "://" not in secret:
            for form in _forms(secret):
                yield _fold(form), ("a secret", len(secret) < 8)  # noqa: PLR2004 - a short one may be part of a word
    for email in people.emails - stays:
        yield _fold(email), ("an e-mail address", False)
    for login in people.logins:
        if not is_plain(login, words):
            yield _fold(login), ("somebody's login", True)
    for id in filter(is_telling, people.ids - stays):
        yield _fold(id), ("somebody's id", True)
    for form in (form for name in people.names for form in _orders(name)):
        yield _fold(form), ("somebody's name", True)


def _forms(secret: str) -> set[str]:
    forms = {secret, quote(secret, safe=""), quote_plus(secret)}
    raw = secret.encode()
    for shift in range(3):  # base64 of it, wherever it begins in what was encoded
        text = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
        start, end = (0, 2, 3)[shift], (0, 2, 1)[(shift + len(raw)) % 3]
        core = text[start : len(text) - end] if end else text[start:]
        if len(core) >= 8:  # noqa: PLR2004 - a shorter one may be any word
            forms |= {core, core.replace("+", "-").replace("/", "_")}
    return forms


_RUN = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
_INITIAL = re.compile(r"(?<!\w)[^\W\d_](?=\.|\s|$)", re.ASCII)


def _orders(name: str) -> set[str]:
    """Give the ways in which a whole name may be written; none for what could be any word."""
    parts = [one[0] for one in tokens(name)]
    if sum(map(len, parts)) < 5 or all(folded(part) in STOP or part.isdecimal() for part in parts):  # noqa: PLR2004
        return set()
    if len(parts) == 1:
        return set()  # alone it is as often a word as a name
    if _INITIAL.search(name):
        return set()
    turned = [*parts[1:], parts[0]]
    last_first = [parts[-1], *parts[:-1]]
    joined = {"".join(parts), "".join(turned)} if len(parts) == 2 and len("".join(parts)) >= 8 else set[str]()  # noqa: PLR2004
    return {form for form in joined if folded(form) not in STOP} | {
        " ".join(name.split()),
        " ".join(parts),
        " ".join(turned),
        " ".join(last_first),
        f"{parts[-1]}, {' '.join(parts[:-1])}",
    }


def _fold(text: str) -> str:
    text = folded(text)
    return re.sub(r"[ \t\u00a0]+", " ", text)


def _spellings(text: str) -> Iterator[str]:
    yield text
    if "&" in text:
        yield html.unescape(html.unescape(text))
    if "%" in text:
        yield unquote(text)
    if "+" in text:
        yield unquote_plus(text)
    if "\\u" in text:
        yield re.sub(r"\\u([0-9a-fA-F]{4})", lambda one: chr(int(one[1], 16)), text)
    if inner := [plain for run in _RUN.findall(text) if (plain := decoded(run)) and len(plain) > 5]:  # noqa: PLR2004
        yield "\n".join(inner)
        yield "\n".join(plain for one in inner for run in _RUN.findall(one) if (plain := decoded(run)))
    if '\\"' in text or "\\/" in text:
        yield text.replace("\\/", "/").replace('\\"', '"')
