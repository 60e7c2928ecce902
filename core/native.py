"""Native records: what an LMS says, as JSON, with nothing lost on the way in or out."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, TypeAlias, cast

from pydantic_core import from_json, to_json

from .errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Collection

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"
NativeRecord: TypeAlias = "dict[str, JSON]"

MAX_DEPTH = 400
"""How deeply a body may be nested. Real records stay below ten."""


def parse(body: bytes | str) -> JSON:
    """Read a JSON text: integers of any size stay exact, NaN and lone surrogates are taken as they are.

    Raises:
        ContractError: It is not JSON, or nested more than `MAX_DEPTH` deep.
    """
    try:
        return cast("JSON", from_json(body, allow_inf_nan=True))
    except (ValueError, TypeError):  # lone surrogates, too deep for the fast parser, or no JSON: the slow one decides
        pass
    try:
        text = body if isinstance(body, str) else body.decode("utf-8-sig")
        value = cast("JSON", json.loads(text))
    except (ValueError, RecursionError) as error:
        place = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise ContractError(f"the body is not JSON{place}") from None
    if depth(value) > MAX_DEPTH:
        raise ContractError(f"the body is nested more than {MAX_DEPTH} levels deep")
    return value


def dump(value: JSON) -> str:
    """Write JSON as compact text, keys in the order they came, such that `parse(dump(value)) == value`."""
    try:
        return to_json(value, inf_nan_mode="constants").decode()
    except ValueError:  # lone surrogates (escaped by the slow writer), or nesting
        return json.dumps(value, separators=(",", ":"))


def digest(text: str) -> str:
    """Give a short, stable fingerprint of a text: 32 hexadecimal digits."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def depth(value: JSON) -> int:
    """Tell how many lists and objects lie inside each other, without recursion."""
    deepest, level = 0, [value]
    while level:
        inner: list[JSON] = []
        for item in level:
            if isinstance(item, dict):
                inner.extend(item.values())
            elif isinstance(item, list):
                inner.extend(item)
            else:
                continue
        if any(isinstance(item, (dict, list)) for item in level):
            deepest += 1
        level = inner
    return deepest


def without(value: JSON, keys: Collection[str]) -> JSON:
    """Leave out every member with one of the keys, at any level: live credentials in a record."""
    if isinstance(value, dict):
        return {name: without(item, keys) for name, item in value.items() if name not in keys}
    if isinstance(value, list):
        return [without(item, keys) for item in value]
    return value
