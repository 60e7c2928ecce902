"""The store's tables. People query `enrollments`; the others keep a sync's place and its findings."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    TypeDecorator,
)
from sqlalchemy import Text as AnyText

from ..native import dump

if TYPE_CHECKING:
    from sqlalchemy import Dialect
    from sqlalchemy.types import TypeEngine

metadata = MetaData()


class Moment(TypeDecorator[datetime]):
    """A date-time in UTC: RFC 3339 text in SQLite (its date functions read it), `timestamptz` elsewhere."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Pick the column type."""
        return dialect.type_descriptor(String(32) if dialect.name == "sqlite" else DateTime(timezone=True))

    def bind_processor(self, dialect: Dialect) -> Any:
        """Write."""
        return moment_text if dialect.name == "sqlite" else None

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Read."""
        del dialect
        if value is None:
            return None
        found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        return found.astimezone(UTC)


class Json(TypeDecorator[Any]):
    """JSON that people query: text in SQLite, `jsonb` in PostgreSQL, where what that cannot hold is left out.

    It knows no NUL character, no half of a surrogate pair and no NaN. `remote_data` still has them.
    """

    impl = JSON(none_as_null=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Pick the column type."""
        if dialect.name != "postgresql":
            return dialect.type_descriptor(self.impl_instance)
        from sqlalchemy.dialects.postgresql import JSONB  # noqa: PLC0415 - slow to import

        return dialect.type_descriptor(JSONB(none_as_null=True))

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Make a value fit for PostgreSQL."""
        return _storable(value) if dialect.name == "postgresql" else value

    def bind_processor(self, dialect: Dialect) -> Any:
        """Write."""
        return json_text if dialect.name == "sqlite" else super().bind_processor(dialect)


@lru_cache(maxsize=16)  # a record names a moment several times, and a run its own in each row
def moment_text(value: datetime | None) -> str | None:
    """Write a date-time for SQLite; always with six digits of a second, so that texts compare as times do."""
    if value is None:
        return None
    return f"{value.astimezone(UTC).isoformat(timespec='microseconds')[:-6]}Z"


def json_text(value: Any) -> str | None:
    """Write JSON for SQLite."""
    return None if value is None else dump(value)


def _storable(value: Any) -> Any:
    match value:
        case str():
            return _kept(value)
        case float():
            return value if math.isfinite(value) else None
        case list():
            return [_storable(item) for item in cast("list[Any]", value)]
        case dict():
            items = cast("dict[str, Any]", value)
            return {_kept(name): _storable(item) for name, item in items.items()}
        case _:
            return value


def _kept(text: str) -> str:
    if "\0" in text:
        text = text.replace("\0", "")
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


Text = AnyText().with_variant(AnyText(collation="C"), "postgresql")
"""Ordered by its bytes everywhere: paging through ids must not depend on a server's language."""
_Json = Json()


def _key(name: str) -> Column[str]:
    return Column(name, Text, primary_key=True)


meta = Table("rollbook_meta", metadata, Column("version", Integer, nullable=False))

enrollments = Table(
    "enrollments",
    metadata,
    _key("connection"),
    _key("id"),
    Column("connector", Text, nullable=False),
    Column("user_id", Text),
    Column("user_name", Text),
    Column("user_email", Text, comment="the primary or first one"),
    Column("user_emails", _Json, nullable=False),
    Column("course_id", Text),
    Column("course_title", Text),
    Column("status", Text, nullable=False),
    Column("assigned_at", Moment),
    Column("due_at", Moment),
    Column("enrolled_at", Moment),
    Column("started_at", Moment),
    Column("last_activity_at", Moment),
    Column("completed_at", Moment),
    Column("progress_percent", Float),
    Column("time_spent_seconds", BigInteger),
    Column("score", Float),
    Column("is_mandatory", Boolean),
    Column("assigned_by_id", Text),
    Column("assigned_by_name", Text),
    Column("attempt_number", BigInteger),
    Column("attempts_count", BigInteger),
    Column("urls", _Json, nullable=False),
    Column("created_at", Moment),
    Column("updated_at", Moment),
    Column("custom_fields", _Json, nullable=False),
    Column("remote_data", Text, nullable=False, comment="the native record as exact JSON text"),
    Column("removed_at", Moment, comment="when a complete read no longer found it"),
    Column("stale_at", Moment, comment="after this instant the status is another; mapped again by then"),
    Column("mapped_at", Moment, nullable=False, comment="the instant its status was told for"),
    Column("kind", Text, nullable=False),
    Column("native_hash", Text, nullable=False),
    Column("mapping", Text, nullable=False, comment="fingerprint of the mapping it was made by"),
    Column("later", _Json, comment="what dates will change, where the native record is not kept; null where it is"),
    Index("enrollments_by_user", "connection", "user_id"),
    Index("enrollments_by_course", "connection", "course_id"),
    Index("enrollments_by_status", "connection", "status"),
    Index("enrollments_by_updated", "connection", "updated_at"),
    Index("enrollments_by_due", "connection", "due_at"),
    Index("enrollments_by_stale", "connection", "stale_at"),
    Index("enrollments_by_mapping", "connection", "mapping"),
)

parts = Table(
    "parts",
    metadata,
    _key("connection"),
    _key("id"),
    _key("part"),
    Column("kind", Text, nullable=False),
    Column("native", Text, nullable=False),
)

dirty = Table("dirty", metadata, _key("connection"), _key("id"))
"""Enrollments whose parts changed since they were folded."""

seen = Table(
    "seen",
    metadata,
    _key("connection"),
    _key("id"),
    _key("part"),
    Column("run", Integer, nullable=False),
    Column("partition", Text, nullable=False),
    Index("seen_by_partition", "connection", "partition"),
)
"""The last run and partition in which an enrollment (or a part of one) was served."""

runs = Table(
    "runs",
    metadata,
    Column("run", Integer, primary_key=True, autoincrement=True),
    Column("connection", Text, nullable=False),
    Column("connector", Text, nullable=False),
    Column("mode", Text, nullable=False, comment="full or incremental"),
    Column("fingerprint", Text, nullable=False, comment="of connector version and non-secret settings"),
    Column("started_at", Moment, nullable=False),
    Column("finished_at", Moment),
    Column("outcome", Text, comment="complete, partial or failed; null while it is under way or interrupted"),
    Column("planned", Boolean, nullable=False, comment="whether the list of partitions is complete"),
    Column("counts", _Json, nullable=False),
    Column("error", Text),
    Index("runs_by_connection", "connection", "run"),
)

plan = Table(
    "plan",
    metadata,
    Column("run", Integer, primary_key=True, autoincrement=False),
    _key("partition"),
    Column("position", Integer, nullable=False),
    Column("context", Text, nullable=False),
    Column("state", Text, nullable=False, comment="waiting, reading, complete, gone, forbidden or failed"),
    Column("cursor", Text, comment="where to go on"),
    Column("records", Integer, nullable=False),
    Column("total", BigInteger, comment="what the LMS says it holds"),
    Column("watermark", Text, comment="kept for the next incremental read once the partition is complete"),
    Column("error", Text),
)

watermarks = Table(
    "watermarks",
    metadata,
    _key("connection"),
    _key("partition"),
    Column("since", Text, nullable=False),
)

clocks = Table(
    "clocks",
    metadata,
    _key("connection"),
    Column("latest", Moment, nullable=False, comment="no live row is mapped for a later instant"),
)

rejected = Table(
    "rejected",
    metadata,
    _key("connection"),
    _key("key"),
    Column("id", Text),
    Column("run", Integer, nullable=False),
    Column("partition", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("native", Text, nullable=False),
)

flaws = Table(
    "flaws",
    metadata,
    _key("connection"),
    _key("id"),
    _key("field"),
    Column("type", Text, nullable=False),
    Column("preview", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

drift = Table(
    "drift",
    metadata,
    _key("connection"),
    _key("id"),
    _key("what"),
    _key("value"),
    Column("first_seen", Moment, nullable=False),
)
"""Native words in a stored row that the mapping has never heard of."""

fields = Table(
    "fields",
    metadata,
    _key("connection"),
    _key("kind"),
    _key("path"),
    Column("first_run", Integer, nullable=False),
    Column("first_seen", Moment, nullable=False),
    Column("last_run", Integer, nullable=False),
    Column("last_seen", Moment, nullable=False),
)
"""Paths of the values that native records hold, without the values."""

forgotten = Table("forgotten", metadata, _key("connection"), _key("person"))
"""Marks of learners who are kept out: made of their ids with a key that is not in the database."""
