"""The text of a new config: what was answered, and the rest as comments to be taken in."""

from __future__ import annotations

import json
import textwrap
import tomllib
from typing import TYPE_CHECKING, Any, get_args

from .description import settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..connector import Connector

__all__ = ["config_text"]

_HEAD = """\
# Where enrollments are read from, and where they are kept.
# rollbook check {name} tries this connection; rollbook sync {name} reads it.

[store]
url = "sqlite:///rollbook.db"  # beside this file

[connections.{name}]
connector = {connector}  # {title}
"""
_TAIL = """
# What this LMS calls by a name of its own can be mapped here, without code:
# [connections.{name}.mapping.course_enrollment.custom_fields]
# cost_center = "user.custom_field_1"
"""


def config_text(kind: type[Connector[Any]], name: str, values: Mapping[str, str | dict[str, str]]) -> str:
    """Write a config with one connection.

    Args:
        kind: Its connector.
        name: Its name, of letters, digits, - and _.
        values: Its settings; a secret may be `{"env": "NAME"}`.
    """
    head = _HEAD.format(name=name, connector=_text(kind.name), title=kind.title)
    return f"{head}{''.join(_settings(kind, values))}{_TAIL.format(name=name)}"


def _settings(kind: type[Connector[Any]], values: Mapping[str, str | dict[str, str]]) -> Iterator[str]:
    described = settings_of([kind])
    for setting in described:
        if (key := setting["name"]) in values:
            yield f"\n{_comment(setting['meaning'])}{key} = {_value(kind, key, values[key])}\n"
    rest = [setting for setting in described if setting["name"] not in values]
    if rest:
        yield "\n# Further settings, with their defaults:\n"
    for setting in rest:
        default = "..." if setting["default"] is None else setting["default"]
        yield f"#\n{_comment(setting['meaning'])}# {setting['name']} = {json.dumps(default)}\n"


def _comment(text: str) -> str:
    return "".join(f"# {line}\n" for line in textwrap.wrap(text, 100))


def _value(kind: type[Connector[Any]], key: str, value: str | dict[str, str]) -> str:
    if isinstance(value, dict):
        return f"{{ env = {_text(value['env'])} }}"
    annotation = kind.Settings.model_fields[key].annotation
    bare = {annotation, *get_args(annotation)} & {bool, int, float}
    return value if bare and _is_toml(value) else _text(value)


def _is_toml(value: str) -> bool:
    try:
        return list(tomllib.loads(f"value = {value}")) == ["value"]
    except tomllib.TOMLDecodeError:
        return False


def _text(value: str) -> str:
    """Write a TOML string: JSON's, but for one sign that TOML wants escaped."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
