"""Secrets that are kept elsewhere, the system's keyring above all; and none of them on a command line."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
from rollbook.core.connector import Settings
from rollbook.core.errors import SettingsError
from rollbook.core.secret import fetched

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "made-up s3cr3t"


class Backend(ModuleType):
    """Stands for the package `keyring` and a system's keyring behind it."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__("keyring")
        self.error = error
        self.kept = {("rollbook", "acme"): SECRET, ("https://lms.example.com", "api"): "other"}

    def get_password(self, service: str, user: str) -> str | None:
        if self.error:
            raise self.error
        return self.kept.get((service, user))


def fetch(tmp_path: Path, place: object) -> object:
    return fetched({"keyring": place}, tmp_path, "connection 'acme'", "token")


@pytest.mark.parametrize(("place", "value"), [("rollbook/acme", SECRET), ("https://lms.example.com/api", "other")])
def test_a_secret_is_taken_from_the_keyring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, value: str
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", Backend())

    assert fetch(tmp_path, place) == value


def test_without_the_extra_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)

    with pytest.raises(SettingsError, match="the package for that is not installed") as caught:
        fetch(tmp_path, "rollbook/acme")

    assert caught.value.hint == "pip install 'rollbook[keyring]'"


def test_an_entry_that_is_not_there_is_named_with_the_command_that_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", Backend())

    with pytest.raises(SettingsError, match="has no entry 'rollbook/umbrella'") as caught:
        fetch(tmp_path, "rollbook/umbrella")

    assert caught.value.hint.endswith("keyring set rollbook umbrella")


def test_a_keyring_that_fails_is_told_without_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class NoKeyringError(RuntimeError):
        pass

    monkeypatch.setitem(sys.modules, "keyring", Backend(NoKeyringError(SECRET)))

    with pytest.raises(SettingsError, match=r"cannot be read \(NoKeyringError\)") as caught:
        fetch(tmp_path, "rollbook/acme")

    assert SECRET not in f"{caught.value}{caught.value.hint}{caught.value.__cause__}"
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("place", ["rollbook", "/acme", "rollbook/", ""])
def test_an_entry_is_a_service_and_a_user(tmp_path: Path, place: str) -> None:
    with pytest.raises(SettingsError, match="which entry of the keyring") as caught:
        fetch(tmp_path, place)

    assert 'keyring = "service/user"' in caught.value.hint


@pytest.mark.parametrize("odd", [{"keyring": 1}, {"keyring": "a/b", "env": "X"}])
def test_one_way_and_one_text(tmp_path: Path, odd: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match="says in an odd way where it is kept"):
        fetched(odd, tmp_path, "connection 'acme'", "token")


@pytest.mark.parametrize(
    ("values", "fine"),
    [
        ({"base_url": "http://lms.example.com"}, False),
        ({"base_url": "http://10.0.0.8"}, False),
        ({"base_url": "http://10.0.0.8", "allow_http": True}, True),
        ({"allow_http": True, "base_url": "ftp://10.0.0.8"}, False),
        ({"base_url": "http://127.0.0.1:8000"}, True),
        ({"base_url": "http://localhost"}, True),
        ({"base_url": "https://lms.example.com"}, True),
    ],
)
def test_http_is_for_this_machine_or_where_it_is_allowed(values: dict[str, object], *, fine: bool) -> None:
    if fine:
        assert Settings.model_validate(values).base_url == values["base_url"]
        return
    with pytest.raises(ValueError, match="must begin with https://"):
        Settings.model_validate(values)
