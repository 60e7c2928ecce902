"""The connector contract: how to fetch enrollments from one LMS."""

from __future__ import annotations

import ipaddress
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, Literal, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationInfo

from .errors import SettingsError, Unsupported
from .table import Table

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from .http import Answer, Auth, Http, Limit, Quota, Vault, Verdict
    from .native import JSON, NativeRecord

__all__ = [
    "BaseUrl",
    "Connector",
    "Estimate",
    "Join",
    "Lookup",
    "Notice",
    "Page",
    "Partition",
    "Settings",
    "is_loopback",
]

MAX_PAGE = 1_000
"""The most records of one `Page`."""
CHEAP = 10
"""So many requests at most are spent on an estimate."""


def is_loopback(host: str | None) -> bool:
    """Tell whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def _base_url(value: str, info: ValidationInfo) -> str:
    text = value.strip()
    text = (text if "://" in text else f"https://{text}").rstrip("/")
    parts = urlsplit(text)
    if not parts.hostname:
        raise ValueError("expected an address such as https://lms.example.com")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("expected only the site's address, without a login, a query or a fragment")
    if parts.scheme == "http" and not is_loopback(parts.hostname) and not info.data.get("allow_http"):
        raise ValueError("must begin with https:// (http:// is for this machine, or with allow_http = true)")
    if parts.scheme not in ("https", "http"):
        raise ValueError("must begin with https://")
    return text


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ValueError, OSError, LookupError):
        raise ValueError("expected a time zone such as Europe/Athens") from None
    return value


BaseUrl = Annotated[str, AfterValidator(_base_url)]
"""A site's address: `https`, or `http` on this machine or with `allow_http`; no slash at its end."""


class Settings(BaseModel):
    """What a connection needs to know. Each connector adds its own; secrets are `SecretStr`."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True)

    allow_http: bool = False
    """Take http:// for a base_url of another machine: everybody between can read all, the credentials too."""
    allow_link_local: bool = False
    """Also ask link-local addresses, and those at which a cloud's machines find their credentials."""
    remote_data: Literal["full", "pseudonyms", "none"] = "full"
    """What the store keeps of native records: all; all, with made-up names and e-mail addresses; or nothing."""
    base_url: BaseUrl | None = None
    """Address of the LMS, in place of the one that follows from the other settings (a proxy, a test)."""
    strategy: str = ""
    """Which way of reading, where the connector has several; empty for its default."""
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    """Zone of date-times that the LMS sends without one."""
    include_containers: bool = False
    """Also read learning paths, plans, programs and the like as enrollments."""
    include_staff: bool = False
    """Also read teachers, assistants and other enrollments that are not a learner's."""
    pass_mark: float | None = None
    """A finished course with at least this score counts as passed."""
    timeout: float = Field(default=60.0, gt=0)
    """Seconds to wait for an answer."""
    max_wait: float = Field(default=120.0, ge=0)
    """The longest wait, in seconds, that the LMS may ask for; beyond it the run stops and can be taken up later."""
    concurrency: int | None = Field(default=None, ge=1)
    """Requests under way at once, if fewer than the connector's own limit are wanted."""

    def origin(self) -> str:
        """Give the address that paths are relative to; requests go to no other host."""
        if self.base_url is None:
            raise SettingsError("the setting 'base_url' is missing", hint="It is the address of the LMS.")
        return self.base_url

    def auth(self, vault: Vault | None) -> Auth | None:
        """Give what signs the requests in; a vault, if there is one, keeps tokens that the LMS rotates."""
        del vault
        return None

    def public(self) -> dict[str, JSON]:
        """Give the settings that are no secrets, as JSON: what `setting(name)` of a mapping can see."""
        return self.model_dump(mode="json", exclude=self.secrets())

    @classmethod
    def secrets(cls) -> set[str]:
        """Name the settings that are secrets."""
        return {name for name, field in cls.model_fields.items() if _is_secret(field.annotation)}

    def secret_values(self) -> set[str]:
        """Give the secrets themselves, so that they can be kept out of what is printed."""
        values = (getattr(self, name) for name in self.secrets())
        return {value.get_secret_value() for value in values if isinstance(value, SecretStr)}


def _is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or SecretStr in getattr(annotation, "__args__", ())


@dataclass(frozen=True, slots=True)
class Partition:
    """A part of a tenant that can be read on its own."""

    key: str
    """Names an entity (`all`, `course:41001`, `user:45`), the same in every run; never a page number or an offset."""
    context: JSON = None
    """What its reader needs, such as the course object; it can be sent to another process."""


@dataclass(frozen=True, slots=True)
class Page:
    """Up to 1,000 native records of a partition."""

    records: Sequence[NativeRecord]
    """May be empty (an export job that was started, a page of teachers only)."""
    cursor: JSON = None
    """Where to go on; None says that this is the partition's last page. Never a secret or a signed address."""
    kind: str = ""
    """Which `[course_enrollment.kind.<kind>]` of the mapping these records follow."""
    total: int | None = None
    """How many records the LMS says the partition holds; a difference is reported."""
    watermark: JSON = None
    """`since` of the next incremental read; kept once the partition is complete."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """Records that complete others: people, courses."""

    name: str
    """What `load` is asked for."""
    key: str
    """JMESPath: the key of a looked-up record. Keys compare as text."""
    whole: bool = True
    """Whether `load(name, None)` can read all of it."""
    batch: int = 0
    """How many keys `load(name, keys)` takes at once; 0 = it can only be read whole."""
    whole_from: int = 0
    """Once a run that reads only what changed asks for this many keys, it is read whole after all; 0 = never."""


@dataclass(frozen=True, slots=True)
class Join:
    """How looked-up records are attached: `record[into] = lookup[on]`."""

    into: str
    """The member of the record; null when the key is missing or unknown."""
    lookup: str
    """Name of the lookup."""
    on: str
    """JMESPath over the record so far (folded, earlier joins included); a list of keys gives a list of records."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What a check found out that is worth telling, beside that the credentials work."""

    text: str
    """One or two sentences: what is missing or reduced, and which permission would mend it."""
    level: Literal["info", "reduced", "missing"] = "info"
    """`info`; `reduced`: some values will be null; `missing`: nothing can be read until it is mended."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """How many requests it takes to read a whole tenant."""

    requests: int
    """Without sign-ins and repetitions."""
    exact: bool
    """Whether it takes just so many, if nothing changes meanwhile; else at least so many."""
    basis: str
    """What was counted: `3 for the list of users, 240 for the users one by one`."""


S = TypeVar("S", bound=Settings)


class Connector(ABC, Generic[S]):
    """The adapter for one LMS: declare what it is, and yield its pages.

    A class per strategy; the first one registered under a name is the default.
    """

    name: ClassVar[str]
    """As in `connector = "canvas"`; also the mapping file's name."""
    title: ClassVar[str]
    """For people: `Canvas LMS`."""
    strategy: ClassVar[str] = ""
    """Which way of reading this class is, where the LMS has several."""
    Settings: ClassVar[type[Settings]]
    """The connection's settings."""
    lookups: ClassVar[tuple[Lookup, ...]] = ()
    """Records fetched to complete others."""
    joins: ClassVar[tuple[Join, ...]] = ()
    """How they are attached, in order."""
    part: ClassVar[str | None] = None
    """JMESPath: the part's key inside its enrollment; set when records are folded from parts."""
    removals: ClassVar[Literal["partition", "run", "never"]] = "partition"
    """When a stored row that was not seen counts as removed by the LMS."""
    numbered_partitions: ClassVar[bool] = False
    """Whether the list of partitions comes in pages that are cut by number or offset: if one goes while it is read,
    they shift and hide another. A list of several pages is then made twice."""
    numbered_records: ClassVar[bool] = False
    """Whether the pages of a partition are cut like that: one of several pages is then read once more before a record
    that is missing there counts as removed."""
    incremental: ClassVar[bool] = False
    """Whether `pages` can read from `since` on."""
    cursor_hours: ClassVar[float] = 24.0
    """How long an interrupted run may be taken up again; an hour for offset cursors."""
    credentials: ClassVar[frozenset[str]] = frozenset()
    """Keys of native records that hold live credentials; they are removed wherever they stand."""

    def __init__(self, settings: S, http: Http) -> None:
        self.settings = settings
        self.http = http

    def limits(self) -> Sequence[Limit]:
        """Give the LMS's documented rates and concurrency; what its headers say wins over them."""
        return ()

    @staticmethod
    def verdict(answer: Answer) -> Verdict | None:
        """Read the LMS's own signs (a 200 with an error body, a 403 that is throttling); None: the usual reading."""
        del answer
        return None

    @staticmethod
    def quota(answer: Answer) -> Quota | None:
        """Read what an answer says of the quota, where the LMS has names of its own; None: the usual headers."""
        del answer
        return None

    async def check(self) -> Sequence[Notice]:
        """Prove the credentials with the cheapest request there is.

        Returns:
            What is missing or reduced, with the permission that would mend it.

        Raises:
            AuthError: The LMS refuses the credentials.
        """
        async for partition in self.partitions():
            async for _ in self.pages(partition, None, None):
                break
            break
        return ()

    async def partitions(self) -> AsyncIterator[Partition]:
        """List the parts of the tenant that can be read independently."""
        yield Partition("all")

    @abstractmethod
    def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        """Read a partition, from its start or from a cursor that an earlier page gave.

        Raises:
            Gone: It no longer exists; it is read as empty.
            Forbidden: It may not be read; nothing is removed.
            CursorExpired: The cursor is no longer good; the partition is read again from its start.
        """

    def load(self, lookup: str, keys: Sequence[str] | None) -> AsyncIterator[Sequence[NativeRecord]]:
        """Read a lookup: all of it (`keys` is None), or the records of up to `batch` keys, without missing ones."""
        raise Unsupported(f"{self.name} has no lookup {lookup!r} for {'all' if keys is None else 'single'} records")

    async def estimate(self) -> Estimate:
        """Tell by a few cheap requests how many a full read takes.

        By default a lower bound: the list of partitions as far as ten requests go, the fewest that each one takes,
        and one for each lookup that is read whole.
        """
        from .http import watched  # noqa: PLC0415 - httpx is slow to import

        before, spent, count, more = _sent(self.http), 0, 0, False
        partitions = self.partitions()
        try:
            with watched() as lists:
                async for _ in partitions:
                    if more := _sent(self.http) - before >= CHEAP:
                        break
                    count += 1
            spent = _sent(self.http) - before
            spent *= 2 if self.numbered_partitions and lists.several_pages else 1
        finally:
            if isinstance(partitions, AsyncGenerator):
                await partitions.aclose()
        whole = [lookup.name for lookup in self.lookups if lookup.whole] if count else []
        basis = [f"{spent:,} for the list of partitions{', which goes on' if more else ''}"] if spent else []
        basis.append(f"at least {self.fewest() * count:,} for {'these' if more else 'the'} partitions one by one")
        basis += [f"at least 1 for the list of {name}" for name in whole]
        return Estimate(spent + self.fewest() * count + len(whole), exact=False, basis=", ".join(basis))

    def fewest(self) -> int:
        """Give the fewest requests that a partition takes, for `estimate`."""
        return 1

    async def fetch(self, id: str, known: NativeRecord | None) -> Page:
        """Read one enrollment by its unified id: a page with its record (or its parts), before joins.

        Args:
            id: The unified id.
            known: The native record as it was stored, if it was.

        Raises:
            Gone: There is none.
        """
        del id, known
        raise Unsupported(f"{self.title} has no way to read a single enrollment")

    @staticmethod
    def fold(parts: Sequence[NativeRecord]) -> NativeRecord:
        """Make one native record of its parts, which come sorted by part key. Pure; only with `part`."""
        return parts[-1]

    def table(self) -> Table:
        """Give a private table for a join that lives and dies with one partition: `with self.table() as rows`."""
        return Table()


def _sent(http: Http) -> int:
    return http.stats.requests - http.stats.retries
