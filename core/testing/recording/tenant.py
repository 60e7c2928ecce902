"""What of a connection names the tenant or opens it: its settings and its override, with stand-ins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast, get_args, get_origin
from urllib.parse import urlsplit

from ...connection import check_settings
from ...errors import ContractError, SettingsError
from ...native import dump, parse
from .keys import Holds, holds
from .texts import BASE, MADE_UP

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...connector import Connector, Settings
    from .cleaning import Cleaner
    from .seen import Source

__all__ = ["clean_texts", "known_secrets", "secrets_of", "stand_ins"]


def secrets_of(source: Source, connector: type[Connector[Any]]) -> dict[str, str]:
    """Give the settings that are secrets, and those that are named like one, such as `client_id`."""
    named = connector.Settings.secrets()
    return {
        name: value
        for name, value in source.values.items()
        if isinstance(value, str)
        and (name in named or (holds(name) is Holds.SECRET and not _is_choice(connector, name)))
    }


def _is_choice(connector: type[Connector[Any]], name: str) -> bool:
    """Tell whether a setting is one of a few words of the connector's own: it is neither a secret nor somebody's."""
    field = connector.Settings.model_fields.get(name)
    kinds = [field.annotation, *get_args(field.annotation)] if field else []
    return any(get_origin(kind) is Literal for kind in kinds)


def known_secrets(secrets: Mapping[str, str]) -> dict[str, str]:
    """Give the stand-ins of the settings' secrets, by their values.

    What is a JSON object (a service account's key file) stays one, of stand-ins for its texts, without addresses.
    """
    return {value: _object_of_stand_ins(value) or _stand_in(name) for name, value in secrets.items()}


def _stand_in(name: str) -> str:
    return f"{MADE_UP}-{name.replace('_', '-')}"


def _object_of_stand_ins(value: str) -> str:
    try:
        found = parse(value)
    except ContractError:
        return ""
    if not isinstance(found, dict):
        return ""
    texts = (name for name, text in found.items() if isinstance(text, str) and "://" not in text)
    return dump({name: _stand_in(name) for name in texts})


def stand_ins(
    source: Source,
    connector: type[Connector[Any]],
    settings: Settings,
    secrets: Mapping[str, str],
    cleaner: Cleaner,
) -> dict[str, Any]:
    """Make the settings of the recording: stand-ins for secrets, and for whatever names the tenant."""
    parts = urlsplit(settings.origin())
    known = known_secrets(secrets)
    base_url = source.values.get("base_url")
    other = (
        isinstance(base_url, str) and "://" in base_url and urlsplit(base_url).netloc.lower() != parts.netloc.lower()
    )
    made: dict[str, Any] = {
        "base_url": cleaner.address(str(base_url)) if other else f"https://{BASE}{cleaner.path(parts.path)}"
    }
    tenant: dict[str, Any] = {}
    for name, value in source.values.items():
        if name in secrets:
            made[name] = known[str(value)]
        elif _is_choice(connector, name):
            made[name] = value
        elif (
            isinstance(value, str)
            and value
            and name not in {"strategy", "base_url"}
            and "://" not in value  # an address is cleaned as every other
            and _names_host(value, parts.netloc)
        ):
            tenant[name] = "example"
        elif name != "base_url":
            what = holds(name)
            plain = what in {Holds.ANYTHING, Holds.CALLED} and isinstance(value, str)
            made[name] = cleaner.anything(str(value), title=True) if plain and value else cleaner.json(value, name)
    try:
        check_settings(connector, made, "the recording's settings")
    except SettingsError:
        made |= tenant
        check_settings(connector, made, "the recording's settings")
    return made


def _names_host(value: str, host: str) -> bool:
    """Tell whether a setting names the tenant: `acme` of acme.talentlms.com, or a whole address."""
    word = value.strip().lower().removeprefix("https://").strip("/")
    return word in {host.lower(), *host.lower().split(".")} or host.lower() in word


def clean_texts(value: Any, cleaner: Cleaner) -> Any:
    """Clean an override of the mapping: its keys are the mapping's own and tell nothing of what stands there."""
    match value:
        case dict():
            return {str(key): clean_texts(item, cleaner) for key, item in cast("dict[Any, Any]", value).items()}
        case list():
            return [clean_texts(item, cleaner) for item in cast("list[Any]", value)]
        case str():
            return cleaner.anything(value, title=True)
        case bool() | int() | float() | None:
            return value
        case _:
            return str(value)
