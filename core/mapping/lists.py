"""Functions for lists and for members whose names the tenant chose."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from ..table import as_key
from .effort import LONG, spend, spend_on
from .functions import function
from .values import Unfit

if TYPE_CHECKING:
    from ..native import JSON


@function(
    "pick(list: list, key: text, value: text|number)",
    "json",
    ('pick(`[{"id": 1, "n": "a"}, {"id": 2, "n": "b"}]`, \'id\', \'2\').n', "b"),
)
def pick(items: Any, key: Any, value: Any) -> JSON:
    """The first object of the list whose `key` is the value, compared as text; null if there is none."""
    found: list[Any] = items
    if not isinstance(items, list):
        raise Unfit("expected a list")
    spend_on(items)
    wanted = as_key(value)
    if wanted is not None:
        for item in found:
            if not isinstance(item, dict):
                continue
            given: Any = cast("dict[str, Any]", item).get(key)
            if (given.strip() if given.__class__ is str else as_key(given)) == wanted:
                return item  # pyright: ignore[reportUnknownVariableType] - JSON
    return None


@function(
    "picks(list: list, key: text, value: text|number)",
    "list",
    ('picks(`[{"by": 1, "n": "a"}, {"by": 2, "n": "b"}, {"by": 1, "n": "c"}]`, \'by\', \'1\')[].n', '["a","c"]'),
)
def picks(items: Any, key: Any, value: Any) -> list[JSON]:
    """All objects of the list whose `key` is the value, compared as text; none if the value is null."""
    found: list[Any] = items
    if not isinstance(items, list):
        raise Unfit("expected a list")
    spend_on(items)
    wanted = as_key(value)
    if wanted is None:
        return []
    objects = (cast("dict[str, JSON]", item) for item in found if isinstance(item, dict))
    return [item for item in objects if as_key(item.get(key)) == wanted]


@function(
    "starting(object: object, prefix: text)",
    "object",
    ('starting(`{"custom_field_1": "x", "id": 1}`, \'custom_field_\')', '{"custom_field_1":"x"}'),
)
def starting(source: Any, prefix: Any) -> dict[str, JSON]:
    """The members of an object whose names start with the prefix."""
    members: dict[str, JSON] = source
    if not isinstance(source, dict) or not isinstance(prefix, str):
        raise Unfit("expected an object")
    if len(members) > LONG:
        spend(len(members))
    return {name: members[name] for name in _starting(tuple(members), prefix)}


@lru_cache(maxsize=256)  # one tenant's objects have the same members again and again
def _starting(names: tuple[str, ...], prefix: str) -> tuple[str, ...]:
    return tuple(name for name in names if name.startswith(prefix))


@function(
    "pairs(list: list, name: text, value: text)",
    "object",
    ('pairs(`[{"shortname": "site", "value": "Oslo"}]`, \'shortname\', \'value\')', '{"site":"Oslo"}'),
)
def pairs(items: Any, name: Any, value: Any) -> dict[str, JSON]:
    """An object of a list of objects that each hold a name and a value."""
    members: list[Any] = items
    if not isinstance(items, list):
        raise Unfit("expected a list")
    spend_on(members)
    found: dict[str, JSON] = {}
    for item in members:
        if isinstance(item, dict) and (key := as_key(item.get(name))):  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType] - JSON
            found[key] = cast("dict[str, JSON]", item).get(value)
    return found
