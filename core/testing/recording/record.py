"""Recording an LMS: read it through the API, clean what was seen, prove it, and only then keep it."""

from __future__ import annotations

import html
import importlib.metadata
import os
import re
import shutil
import tempfile
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from ...connection import check_settings
from ...errors import RollbookError, SettingsError
from ...registry import find
from ..case import EXPECTED, HAR, Case, load_case
from ..conformance.lms import RecordedLms
from ..har import load_har
from ..replay import open_case, read_case
from .bodies import blanked, walked
from .cleaning import Cleaner
from .foreign import Player, load_foreign
from .keys import Holds
from .people import People
from .proof import differing, look_through, texts_of
from .seen import Seen, Source, outline, see
from .tenant import clean_texts, known_secrets, secrets_of, stand_ins
from .write import har_text

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from ...connector import Connector, Settings
    from .recorder import Taken

__all__ = ["Recorded", "Source", "clean", "record"]

_SURROGATE = re.compile("[\ud800-\udfff]")
_HOW = ((True, 1), (False, 1), (False, 3))
"""How a recording is cleaned, until it reads as the original: whether lists that the connector cuts up in its own way
are emptied too, and from which length on ids are replaced (short ones can be an LMS's own codes)."""


@dataclass(slots=True)
class Recorded:
    """What a recording came to."""

    files: tuple[Path, ...]
    exchanges: int
    people: int
    """How many got a stand-in."""
    statuses: dict[str, int]
    """Enrollments by status; empty if it was not replayed."""
    titles: list[str]
    """What stands in titles: it was left as it is, so a person should look it over."""
    notes: list[str]
    """What else is worth knowing."""


def record(
    source: Source,
    file: Path,
    *,
    pages: int = 2,
    items: int = 5,
    har: Path | None = None,
    force: bool = False,
    transport: httpx.AsyncBaseTransport | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Recorded:
    """Record a connection into a case: `name.har.json` and `name.expected.json`.

    Args:
        source: The connection.
        file: Where to; its folder must be there.
        pages: The most pages of each list; 0 = all.
        items: The most items of each page; 0 = all.
        har: A HAR file that answers in place of the LMS.
        force: Whether files that are there already may be replaced.
        transport: In place of the network.
        clock: Gives the instant that statuses are told for.

    Raises:
        RollbookError: The LMS could not be read; or the cleaned recording reads differently, or still holds a secret
            or a person. Nothing is kept.
    """
    target = _target(file, force=force)
    player = Player(load_foreign(har)) if har else None
    as_of = clock().astimezone(UTC).replace(microsecond=0)
    sample = {"pages": pages, "items": items} if pages or items else {}
    connector = find(source.connector, str(source.values.get("strategy", "")), source.modules)
    seen = see(source, player or transport, sample, as_of)
    case = Case(
        name=target.name.removesuffix(HAR),
        folder=target.parent,
        connector=source.connector,
        as_of=as_of,
        settings={},
        sample=sample,
    )
    return _Recording(source, connector, seen, case).keep(target, "taken from a HAR file" if har else "recorded")


def clean(har: Path, file: Path, *, force: bool = False) -> Recorded:
    """Clean a HAR file that was made elsewhere, without knowing whose it is: it is not replayed.

    Args:
        har: The file.
        file: Where to.
        force: Whether a file that is there already may be replaced.

    Raises:
        RollbookError: It holds no answers of an API; or it would still hold a secret or a person.
    """
    target = _target(file, force=force, alone=True)
    taken = load_foreign(har)
    if not taken:
        raise SettingsError("it holds no answer of an API (JSON, XML or CSV)", where=str(har))
    people = _people(taken, frozenset())
    cleaner = Cleaner(people, None, {})
    cleaned = [walked(cleaner, one) for one in taken]
    text = har_text(cleaned, origin="recorded", comment=_comment("cleaned, not replayed", {}), version=_version())
    _look(cleaned, [text], people, cleaner, set())
    with _beside(target) as folder:
        _write(folder / target.name, text)
        load_har(folder / target.name)
        (folder / target.name).replace(target)
    notes = ["It was not replayed: name a connection, and it is proved that the recording can be read."]
    return Recorded((target,), len(cleaned), cleaner.replaced, {}, _titles(people, cleaner), notes)


# --- cleaning, proving, keeping --------------------------------------------------------------------------------------


class _Recording:
    def __init__(self, source: Source, connector: type[Connector[Any]], seen: Seen, case: Case) -> None:
        self._source, self._connector, self._seen, self._case = source, connector, seen, case
        self._settings: Settings = check_settings(connector, source.values, f"connection {source.name!r}")
        self._secrets = {name: value for name, value in secrets_of(source, connector).items() if value}
        self._people = _people(seen.taken, connector.credentials)
        self._people.enrollments(seen.found["enrollments"])
        for name, value in source.values.items():
            if name not in self._secrets:
                self._people.json(value, name)

    def keep(self, target: Path, how: str) -> Recorded:
        """Clean, prove and write; the first way of cleaning that reads as the original wins."""
        differ: list[str] = []
        with _beside(target) as folder:
            for unnamed, shortest in _HOW:
                cleaner = self._cleaner(shortest)
                cleaned = [walked(cleaner, one) for one in self._blanked(unnamed=unnamed)]
                _look(cleaned, [], self._people, cleaner, self._settings.secret_values())  # before a line is written
                case = self._clean_case(cleaner, folder)
                try:
                    found, cleaned = self._proved(case, cleaned, cleaner, how)
                except AssertionError as error:
                    differ = differ or [_unfit(error)]
                    continue
                differ = differing(self._seen.found, found, cleaner)
                if not differ:
                    return self._kept(case, cleaned, cleaner, found, target, how)
        raise RollbookError(
            f"nothing was kept: with stand-ins the recording reads differently in {', '.join(differ[:8])}",
            hint="A value that the mapping or the connector needs was taken for a person's. Please report the field.",
        )

    def _cleaner(self, shortest: int) -> Cleaner:
        url = httpx.URL(self._settings.origin())  # spelled as requests are: without a port that goes without saying
        base = (url.scheme, url.netloc.decode("ascii").lower())
        return Cleaner(
            self._people,
            base,
            known_secrets(self._secrets),
            shortest=shortest,
            credentials=self._connector.credentials,
            hosts=self._connector.hosts,
        )

    def _blanked(self, *, unnamed: bool) -> list[Taken]:
        made = self._seen.cuts.made
        cuts = {id(one): [cut for other, cut in made if other is one] for one, _ in made}
        return [
            blanked(one, found, unnamed=unnamed) if (found := cuts.get(id(one))) else one for one in self._seen.taken
        ]

    def _clean_case(self, cleaner: Cleaner, folder: Path) -> Case:
        return replace(
            self._case,
            folder=folder,
            settings=stand_ins(self._source, self._connector, self._settings, self._secrets, cleaner),
            mapping={key: clean_texts(value, cleaner) for key, value in self._source.mapping.items()},
        )

    def _proved(
        self, case: Case, cleaned: list[Taken], cleaner: Cleaner, how: str
    ) -> tuple[dict[str, Any], list[Taken]]:
        """Replay what was written; what the replay does not ask for (a token's renewal) is left out."""
        self._write(case, cleaned, how)
        lms = RecordedLms(case.load().exchanges)
        read_case(case, lms)
        unused = {id(one) for one in lms.unused if one.use == "read"}
        kept = [one for one, other in zip(cleaned, lms.exchanges, strict=True) if id(other) not in unused]
        kept = self._without_bad_extras(case, kept, cleaner, how)
        self._write(case, kept, how)
        return read_case(case), kept

    def _without_bad_extras(self, case: Case, cleaned: list[Taken], cleaner: Cleaner, how: str) -> list[Taken]:
        """Leave out what the check and single readings asked for if they cannot be done from the recording."""
        self._write(case, cleaned, how)
        lms = RecordedLms(case.load().exchanges)
        try:
            with open_case(case, lms) as opened:
                for one in self._seen.fetched:
                    opened.enrollment(str(cleaner.leaf(Holds.ID, one)))
        except RollbookError:
            good = False
        else:
            good = not lms.unexpected
        return cleaned if good else [one for one in cleaned if one.use != "fetch"]

    def _write(self, case: Case, cleaned: list[Taken], how: str, found: Mapping[str, Any] | None = None) -> str:
        comment = _comment(f"{how} and replayed", case.sample)
        text = har_text(cleaned, origin="recorded", comment=comment, version=_version())
        _write(case.har, text)
        _write(case.expected, case.text(found or {}))
        return text

    def _kept(
        self, case: Case, cleaned: list[Taken], cleaner: Cleaner, found: dict[str, Any], target: Path, how: str
    ) -> Recorded:
        texts = [self._write(case, cleaned, how, found), case.expected.read_text(encoding="utf-8")]
        load_case(case.har)
        _look(cleaned, texts, self._people, cleaner, self._settings.secret_values())
        beside = target.with_name(f"{case.name}{EXPECTED}")
        case.har.replace(target)
        case.expected.replace(beside)
        statuses = Counter(one["status"] for one in found["enrollments"])
        notes = [*self._seen.notes, *self._warnings(cleaned, cleaner, found)]
        return Recorded(
            (target, beside), len(cleaned), cleaner.replaced, dict(statuses), _titles(self._people, cleaner), notes
        )

    def _warnings(self, cleaned: list[Taken], cleaner: Cleaner, found: dict[str, Any]) -> list[str]:
        notes: list[str] = []
        ids = {one["user"]["id"] for one in found["enrollments"] if one["user"]["id"]}
        ids |= {one["assigned_by"]["id"] for one in found["enrollments"] if one["assigned_by"]}
        if same := ids & self._people.ids - {new for _, new in cleaner.ids.items()}:
            notes.append(f"{len(same)} id(s) of people stand as they are: there was no room for others of that length")
        dropped = sum(bool(one.comment) for one in cleaned)
        if dropped:
            notes.append(f"{dropped} answer(s) were no text and were emptied")
        if not found["enrollments"]:
            notes.append("there is no enrollment in it")
        return notes


def _unfit(error: AssertionError) -> str:
    """Tell what a replay asked for in vain, with no more of its address than words."""
    found = re.search(r"not recorded: ([A-Z]+) \w+://[^/\s]+(\S*)", str(error))
    if not found:
        return "what could be read"
    return f"its requests ({found[1]} {outline(found[2])})"


def _people(taken: Sequence[Taken], credentials: frozenset[str]) -> People:
    people = People(credentials)
    for one in taken:
        people.headers(one)
        walked(people, one)
    return people


def _titles(people: People, cleaner: Cleaner) -> list[str]:
    found = [*sorted(people.titles), *people.said]
    shown = (cleaner.anything(title, title=True) for title in found if not re.fullmatch(r"[a-z0-9_:.-]*|\d*", title))
    return list(dict.fromkeys(html.unescape(title) for title in shown))


def _look(cleaned: Sequence[Taken], files: Sequence[str], people: People, cleaner: Cleaner, settings: set[str]) -> None:
    texts = [text for number, one in enumerate(cleaned, 1) for text in texts_of(number, one)]
    texts += [(("the recording", "what is expected")[at], text) for at, text in enumerate(files)]
    stays = {new for images in cleaner.images.values() for new in images}
    look_through(texts, people, settings, stays=stays)


# --- files -----------------------------------------------------------------------------------------------------------


def _target(file: Path, *, force: bool, alone: bool = False) -> Path:
    """Give the recording's path, unless something is there."""
    name = file.name
    for ending in (HAR, EXPECTED, ".har", ".json"):
        name = name.removesuffix(ending)
    target = file.with_name(f"{name}{HAR}")
    if not target.parent.is_dir():
        raise SettingsError(f"there is no folder {target.parent}")
    for each in (target,) if alone else (target, target.with_name(f"{name}{EXPECTED}")):
        if each.exists() and not force:
            raise SettingsError(
                f"{each} is there already", hint="Choose another name with -o, or replace it with --force."
            )
    return target


@contextmanager
def _beside(target: Path) -> Generator[Path]:
    """Give a private folder beside a file, which is gone afterwards whatever happens."""
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write(file: Path, text: str) -> None:
    # half a surrogate pair, which some LMSs send, is written as its escape: it is no character of any file
    text = _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text)
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
        if os.name == "posix":
            os.fchmod(handle, 0o600)  # one that was there already
        stream.write(text)


def _comment(how: str, sample: Mapping[str, int]) -> str:
    parts = [f"{how[:1].upper()}{how[1:]} by rollbook {_version()} on {datetime.now(UTC):%Y-%m-%d}"]
    if sample:
        most = [f"{sample[what]} {what}" for what in ("pages", "items") if sample.get(what)]
        parts.append(f"of each list at most {' and '.join(most)}")
    parts.append("secrets removed, people replaced by made-up ones")
    return "; ".join(parts) + "."


def _version() -> str:
    try:
        return importlib.metadata.version("rollbook")
    except importlib.metadata.PackageNotFoundError:
        return "0"
