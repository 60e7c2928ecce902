"""What a store may keep of people: which native records, and who is kept out for good."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from ..errors import SettingsError
from ..mapping import Mapped
from ..mapping.finished import values_of
from ..native import digest, dump, parse
from ..pseudonyms import Pseudonyms
from ..store.rows import enrollment_of, spread

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..native import NativeRecord

__all__ = ["CHANGES", "Keeping", "Kept"]

CHANGES = 8
"""So many changes of a row by dates are foreseen where its native record is not kept."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is stored of a record."""

    result: Mapped
    text: str
    """The native record."""
    later: list[tuple[datetime, Mapped]] | None = None
    """Where that is not kept: from which instant on the record maps to something else, and to what."""


@dataclass(frozen=True)
class Keeping:
    """The rules of one connection.

    Args:
        name: The connection's.
        mode: The setting `remote_data`.
        vault: File of the secret key that made-up names and kept-out ids are made by; None where there is none.
        forgotten: Marks of the learners who are kept out.
    """

    name: str
    mode: Literal["full", "pseudonyms", "none"] = "full"
    vault: str | None = field(default=None, repr=False)
    forgotten: frozenset[str] = frozenset()
    person: Callable[[Any, str], str | None] = field(default=lambda _record, _kind: None, repr=False)
    """Tells whose a native record is."""

    @cached_property
    def key(self) -> bytes:
        """The secret key; made where there is none yet.

        Raises:
            SettingsError: There is no place for it, or it was lost.
        """
        from ..http import Vault  # noqa: PLC0415 - httpx is slow to import

        if self.vault is None:
            raise SettingsError("made-up names and kept-out learners need a vault", hint="Sync with a config file.")
        vault, entry = Vault(self.vault), f"people of {self.name}"
        found = vault.get(entry)
        if found is None:
            if self.forgotten:
                raise SettingsError(
                    f"the key by which kept-out learners are known is not in {self.vault}",
                    where=f"connection {self.name!r}",
                    hint="Restore that file from a backup, or forget them again: rollbook forget --keep-out",
                )
            found = secrets.token_hex(32)
            vault.put(entry, found)
        return bytes.fromhex(found)

    @cached_property
    def pseudonyms(self) -> Pseudonyms:
        """Makes names up."""
        return Pseudonyms(self.key)

    def mark(self, user: str) -> str:
        """Give what is remembered of a learner who is kept out."""
        return hmac.new(self.key, f"{self.name}\n{user}".encode(), hashlib.sha256).hexdigest()

    def is_kept_out(self, user: str | None) -> bool:
        """Tell whether a learner is kept out."""
        return bool(self.forgotten) and user is not None and self.mark(user) in self.forgotten

    def keeps_out(self, record: NativeRecord, kind: str) -> bool:
        """Tell whether a native record, or a part of one, is of a learner who is kept out."""
        return bool(self.forgotten) and self.is_kept_out(self.person(record, kind))

    def removed(self, row: dict[str, Any]) -> dict[str, Any]:
        """Give a stored row that was made by other rules, and that cannot be read again, as it may be kept."""
        if self.mode == "none":
            return row | {"remote_data": "{}", "later": []}
        stored = enrollment_of(row)
        record, one = parse(row["remote_data"]), Mapped(values_of(stored), stored.remote_data)
        made_up = self._made_up(record if isinstance(record, dict) else {}, one)
        return row | spread(self._named(one).values) | {"remote_data": dump(made_up)}

    def hash_of(self, text: str) -> str:
        """Give what a native record is recognised by: by nobody else, where it may not be kept."""
        return digest(text) if self.mode == "full" else digest(f"{self.key.hex()}{text}")

    def of(
        self,
        record: NativeRecord,
        text: str,
        result: Mapped,
        map: Callable[[NativeRecord, datetime], Any],
        at: datetime,
    ) -> Kept:
        """Give what is stored of a record.

        Args:
            record: The native record.
            text: The same, as JSON.
            result: What it maps to.
            map: Maps a record for an instant.
            at: The instant of `result`.
        """
        if self.mode == "full":
            return Kept(result, text)
        if self.mode == "none":
            return Kept(result, "{}", _later(record, result, map))
        made_up = self._made_up(record, result)
        again = map(made_up, at)
        if isinstance(again, Mapped) and again.values["id"] == result.values["id"]:
            return Kept(self._named(again), dump(made_up))
        return Kept(self._named(result), "{}", [(when, self._named(one)) for when, one in _later(record, result, map)])

    def native(self, record: NativeRecord) -> str:
        """Give what is stored of a part, or of a record that maps to nothing."""
        if self.mode == "none":
            return "{}"
        return dump(self.pseudonyms.of(record) if self.mode == "pseudonyms" else record)

    def _made_up(self, record: NativeRecord, result: Mapped) -> NativeRecord:
        by = result.values["assigned_by"]
        names = [name for name in (result.values["user"]["name"], by["name"] if by else None) if name]
        title = result.values["course"]["title"]
        found = self.pseudonyms.of(record, names, (title,) if title else ())
        return found if isinstance(found, dict) else {}

    def _named(self, result: Mapped) -> Mapped:
        """Make the names of a result up, should a mapping have made them of pieces that nobody could recognise."""
        one, made = result.enrollment, self.pseudonyms
        user = one.user.model_copy(
            update={
                "name": made.name(one.user.name) if one.user.name else None,
                "emails": [each.model_copy(update={"email": made.email(each.email)}) for each in one.user.emails],
            }
        )
        by = one.assigned_by
        if by and by.name:
            by = by.model_copy(update={"name": made.name(by.name)})
        names = [name for name in (one.user.name, by.name if by else None) if name]
        custom = made.of(one.custom_fields, names)
        return result.of(one.model_copy(update={"user": user, "assigned_by": by, "custom_fields": custom}))


def _later(
    record: NativeRecord, result: Mapped, map: Callable[[NativeRecord, datetime], Any]
) -> list[tuple[datetime, Mapped]]:
    """Foresee what dates will make of a record."""
    found: list[tuple[datetime, Mapped]] = []
    while result.stale_at is not None and len(found) < CHANGES:
        at = result.stale_at
        following = map(record, at + timedelta(microseconds=1))
        if not isinstance(following, Mapped):
            break
        found.append((at, following))
        result = following
    return found
