"""Everything rollbook raises on purpose.

    RollbookError
    ├── SettingsError       fix the configuration
    │   └── UnknownName     a name that is not there; the nearest is suggested
    ├── MappingError        fix the mapping file or the override
    ├── AuthError           reconnect: the LMS refuses the credentials
    ├── Forbidden           ask for a permission: the credentials are good, this is not theirs to read
    ├── Gone                nothing to do: it no longer exists
    ├── RateLimited         wait: the quota is spent
    ├── VendorError         try again later: the LMS or the network failed
    ├── ContractError       tell us: the LMS answered in a shape that we do not know
    ├── CursorExpired       nothing to do: the partition is read again from its start
    ├── Unsupported         the connector or the LMS cannot do this
    ├── StoreError          look at the database, the disk or the file's permissions
    └── Stopped             run it again: it was asked to stop, and goes on where it was

Messages carry no secret, no learner's data and no body of an answer.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Fault = Literal["settings", "vendor", "rollbook", "nobody"]


class RollbookError(Exception):
    """Base of all errors of rollbook.

    Args:
        message: What happened, in one sentence.
        where: The connection, partition or request it happened at, without secrets.
        hint: What the reader can do about it.
    """

    fault: ClassVar[Fault] = "rollbook"
    """Whose fault it was."""

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text}\n{self.hint}" if self.hint else text

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.message, self.where, self.hint), self.__dict__

    def at(self, where: str) -> RollbookError:
        """Add an outer place to the error, such as the connection's name, and return it."""
        self.where = f"{where}: {self.where}" if self.where else where
        return self


def _rebuild(kind: type[RollbookError], message: str, where: str, hint: str) -> RollbookError:
    error = kind.__new__(kind)
    RollbookError.__init__(error, message, where=where, hint=hint)
    return error


class SettingsError(RollbookError):
    """The configuration is missing something or says something that cannot be."""

    fault = "settings"


class UnknownName(SettingsError):  # noqa: N818 - the field's errors are named by what is wrong
    """A name that is not there.

    Args:
        what: What kind of thing was named, such as `connector`.
        name: The name that was given.
        known: The names that are there; the nearest is suggested.
    """

    def __init__(self, what: str, name: str, known: Iterable[str], *, where: str = "") -> None:
        choices = sorted(known)
        near = difflib.get_close_matches(name, choices, n=1)
        if near:
            hint = f"Did you mean {near[0]!r}?"
        elif choices:
            hint = f"Known: {', '.join(choices)}."
        else:
            hint = f"There is no {what} yet."
        super().__init__(f"unknown {what} {name!r}", where=where, hint=hint)


class MappingError(RollbookError):
    """A mapping file or an override cannot be used; found when it is loaded."""

    fault = "settings"


class AuthError(RollbookError):
    """The LMS refuses the credentials."""

    fault = "settings"


class Forbidden(RollbookError):  # noqa: N818
    """The credentials are good, but this is not theirs to read. Nothing is removed because of it."""

    fault = "settings"


class Gone(RollbookError):  # noqa: N818
    """It no longer exists; a partition that is gone is read as an empty one."""

    fault = "nobody"


class RateLimited(RollbookError):  # noqa: N818
    """The quota is spent, and waiting for it would take longer than `max_wait`.

    Args:
        retry_after: Seconds until the LMS takes requests again, where it says so.
    """

    fault = "vendor"

    def __init__(self, message: str, *, where: str = "", hint: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, where=where, hint=hint)
        self.retry_after = retry_after


class VendorError(RollbookError):
    """The LMS or the way to it failed: 5xx, time-out, connection refused or cut."""

    fault = "vendor"


class ContractError(RollbookError):
    """The LMS answered in a shape that the connector does not know."""

    fault = "vendor"


class CursorExpired(RollbookError):  # noqa: N818
    """The place to go on from is no longer known to the LMS; the partition is read again from its start."""

    fault = "nobody"


class Unsupported(RollbookError):  # noqa: N818
    """The connector, or the LMS behind it, cannot do this."""

    fault = "nobody"


class StoreError(RollbookError):
    """The database cannot be read or written: full disk, missing permission, a newer schema."""

    fault = "settings"


class Stopped(RollbookError):  # noqa: N818
    """A sync was asked to stop, and did so at the end of a page."""

    fault: ClassVar[Fault] = "nobody"
