"""An enrollment made of finished values, which are known to fit the schema: pydantic need not look at them again.

A compiled mapping's conversions give nothing but what the schema takes; where one might not, it has the values
validated. The tests hold every result against pydantic's own validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from pydantic import BaseModel

from ..schema import AssignedBy, Course, CourseEnrollment, Email, Url, User

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..native import NativeRecord

M = TypeVar("M", bound=BaseModel)

__all__ = ["enrollment_of", "validated", "values_of"]

# what a model's object is made of, as `model_construct` sets it, without its loop over all fields
_new = cast("Callable[[type[Any]], Any]", object.__new__)
_PARTS = ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
_set_values, _set_given, _set_extra, _set_private = (vars(BaseModel)[name].__set__ for name in _PARTS)
_GIVEN = frozenset(CourseEnrollment.model_fields)


def enrollment_of(values: dict[str, Any], remote_data: NativeRecord) -> CourseEnrollment:
    """Make an enrollment.

    Args:
        values: Every field but `remote_data`, in the schema's order, as `model_dump` gives them. The objects in it
            become parts of the enrollment, and are not copied.
        remote_data: Becomes a part of it as well.
    """
    user, by = values["user"], values["assigned_by"]
    emails = [_made(Email, email, {"email", "type", "is_primary"}) for email in user["emails"]]
    made = values.copy()
    made["user"] = _made(User, {"id": user["id"], "name": user["name"], "emails": emails}, {"id", "name", "emails"})
    made["course"] = _made(Course, values["course"], {"id", "title"})
    made["assigned_by"] = by and _made(AssignedBy, by, {"id", "name"})
    made["urls"] = [_made(Url, url, {"url", "type"}) for url in values["urls"]]
    made["remote_data"] = remote_data
    return _made(CourseEnrollment, made, set(_GIVEN))


def _made(kind: type[M], values: dict[str, Any], given: set[str]) -> M:
    one = _new(kind)
    _set_values(one, values)
    _set_given(one, given)
    _set_extra(one, None)
    _set_private(one, None)
    return one


def values_of(one: CourseEnrollment) -> dict[str, Any]:
    """Give the finished values of an enrollment: every field but `remote_data`."""
    return one.model_dump(exclude={"remote_data"})


def validated(values: dict[str, Any]) -> dict[str, Any]:
    """Have pydantic look at values of which it is not known that they fit.

    Raises:
        ValidationError: They do not.
    """
    return values_of(CourseEnrollment.model_validate({**values, "remote_data": {}}))
