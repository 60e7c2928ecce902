"""What there is to know of a connector without a connection: its settings, limits, and what it fills."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from ..connection import read_definition
from ..connector import Settings
from ..schema import CourseEnrollment, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pydantic.fields import FieldInfo

    from ..connector import Connector
    from ..http import Http, Limit
    from ..native import JSON

__all__ = ["FIELDS", "STATUSES", "described", "settings_of"]

FIELDS = len(CourseEnrollment.model_fields)
STATUSES = len(Status)

_PER = {1.0: "second", 60.0: "minute", 3_600.0: "hour", 86_400.0: "day"}


def described(strategies: Mapping[str, type[Connector[Any]]]) -> dict[str, Any]:
    """Describe a connector, all its strategies together, as JSON.

    Raises:
        SettingsError: It has no mapping file.
        MappingError: The mapping cannot be used.
    """
    kinds = list(strategies.values())
    definition = read_definition(kinds[0])
    filled = {field.partition(".")[0] for field in definition.fields}
    return {
        "name": kinds[0].name,
        "title": kinds[0].title,
        "strategies": [
            {
                "name": kind.strategy,
                "default": kind is kinds[0],
                "incremental": kind.incremental,
                "removals": kind.removals,
            }
            for kind in kinds
        ],
        "settings": settings_of(kinds),
        "limits": _limits(kinds[0]),
        "fields": [field for field in CourseEnrollment.model_fields if field in filled or field == "remote_data"],
        "statuses": [status.value for status in Status if status in definition.statuses],
    }


def settings_of(kinds: Sequence[type[Connector[Any]]]) -> list[dict[str, Any]]:
    """Describe the settings of a connector's strategies, its own before those that all connectors have."""
    fields: dict[str, FieldInfo] = {}
    for kind in kinds:
        fields |= kind.Settings.model_fields
    secrets = {name for kind in kinds for name in kind.Settings.secrets()}
    own = [name for name in fields if name not in Settings.model_fields or fields[name].is_required()]
    return [
        {
            "name": name,
            "required": fields[name].is_required(),
            "secret": name in secrets,
            "common": name not in own,
            "default": _default(fields[name]),
            "meaning": " ".join((fields[name].description or "").split()),
        }
        for name in [*own, *(name for name in fields if name not in own)]
    ]


def _default(field: FieldInfo) -> JSON:
    value: Any = None if field.is_required() else field.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, (list, tuple, set, frozenset)):
        return [str(item) for item in cast("Iterable[object]", value)]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _limits(kind: type[Connector[Any]]) -> list[str]:
    """Tell the limits of the settings' defaults; a connector may know others for other plans."""
    settings = kind.Settings.model_construct()
    try:
        limits = kind(settings, cast("Http", None)).limits()  # no request is made
    except AttributeError:  # they follow from a setting that has no default
        return ["as the settings say"]
    return [_limit(limit) for limit in limits]


def _limit(limit: Limit) -> str:
    texts: list[str] = []
    if limit.requests:
        texts.append(f"{limit.requests:,} requests per {_PER.get(limit.per, f'{limit.per:g} seconds')}")
    if limit.at_once:
        texts.append(f"{limit.at_once:,} at once")
    return ", ".join(texts)
