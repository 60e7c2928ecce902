"""A connection's settings are checked before anything is asked, and its fingerprint says what is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from pydantic import SecretStr  # noqa: TC002 - pydantic reads the annotation
from rollbook.core.connection import WORKERS, Connection, check_settings, open_connection
from rollbook.core.connector import Connector, Page, Settings
from rollbook.core.errors import MappingError, SettingsError, UnknownName
from rollbook.core.http import Http, Limit
from rollbook.core.mapping import compile, load

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from rollbook.core.connector import Partition
    from rollbook.core.native import JSON

MAPPING = 'connector = "acme"\n[course_enrollment]\nid = "id(no)"\n[course_enrollment.status]\nvalues = {}\n'


class AcmeSettings(Settings):
    api_key: SecretStr
    """Key of the API."""
    account: str = "1"
    """Number of the account."""

    def origin(self) -> str:
        return self.base_url or "https://acme.example.com"


class Acme(Connector[AcmeSettings]):
    name: ClassVar[str] = "acme"
    title: ClassVar[str] = "Acme"
    Settings: ClassVar[type[Settings]] = AcmeSettings
    bound: int = 0

    def limits(self) -> Sequence[Limit]:
        return (Limit(at_once=self.bound),)

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        yield Page([])


def checked(**values: Any) -> Settings:
    return check_settings(Acme, values, "connection 'hr'")


def opened(bound: int = 0, **values: Any) -> Connection:
    settings = AcmeSettings.model_validate({"api_key": "s3cret", **values})
    http, definition = Http(settings.origin()), load(MAPPING, file="acme.toml")
    connector = Acme(settings, http)
    connector.bound = bound
    return Connection("hr", connector, definition, compile(definition, settings.public()), http)


def test_a_missing_setting_is_named_and_described() -> None:
    with pytest.raises(SettingsError) as caught:
        checked()

    assert str(caught.value) == "connection 'hr': the setting 'api_key' is missing\nKey of the API."


@pytest.mark.parametrize("others", [{}, {"api_key": "s3cret"}])
def test_a_misspelt_setting_suggests_the_right_one(others: dict[str, str]) -> None:
    with pytest.raises(UnknownName) as caught:
        checked(api_kye="s3cret", **others)

    assert str(caught.value) == "connection 'hr': unknown setting of acme 'api_kye'\nDid you mean 'api_key'?"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"timeout": 0}, "'timeout': Input should be greater than 0"),
        ({"timezone": "Athens"}, "'timezone': expected a time zone such as Europe/Athens"),
        ({"account": ["s3cret"]}, "'account': Input should be a valid string"),
        ({"api_key": 123456}, "'api_key': Input should be a valid string"),
    ],
)
def test_a_wrong_setting_is_told_without_its_value(values: dict[str, object], reason: str) -> None:
    with pytest.raises(SettingsError) as caught:
        checked(**{"api_key": "s3cret", **values})

    assert str(caught.value) == f"connection 'hr': the setting {reason}"
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("lms.example.com", "https://lms.example.com"),
        (" https://lms.example.com/moodle/ ", "https://lms.example.com/moodle"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_an_address_is_made_whole(given: str, kept: str) -> None:
    assert checked(api_key="s3cret", base_url=given).base_url == kept


@pytest.mark.parametrize(
    "address",
    [
        "http://lms.example.com",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://10.0.0.1",
        "ftp://127.0.0.1",
        "https://ada:s3cret@lms.example.com",
        "https://lms.example.com?key=s3cret",
        "https://lms.example.com#top",
        "https://",
        "https://[::1",
        "",
    ],
)
def test_an_address_that_is_not_safe_or_not_whole_is_refused(address: str) -> None:
    with pytest.raises(SettingsError, match=r"^connection 'hr': the setting 'base_url': ") as caught:
        checked(api_key="s3cret", base_url=address)

    assert "s3cret" not in str(caught.value)


def test_secrets_are_not_shown() -> None:
    settings = opened().settings

    assert settings.secrets() == {"api_key"}
    assert settings.secret_values() == {"s3cret"}
    assert "api_key" not in settings.public()
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    "values",
    [
        {"api_key": "rotated"},
        {"timeout": 5},
        {"max_wait": 5},
        {"concurrency": 1},
        {"pass_mark": 50},
        {"timezone": "Europe/Athens"},
    ],
)
def test_a_fingerprint_ignores_what_does_not_change_the_records(values: dict[str, Any]) -> None:
    assert opened(**values).fingerprint == opened().fingerprint


@pytest.mark.parametrize(
    "values", [{"account": "2"}, {"base_url": "https://other.example.com"}, {"include_staff": True}]
)
def test_a_fingerprint_changes_with_what_is_read(values: dict[str, Any]) -> None:
    assert opened(**values).fingerprint != opened().fingerprint


@pytest.mark.parametrize(
    ("bound", "concurrency", "workers"), [(0, None, WORKERS), (3, None, 3), (3, 2, 2), (3, 9, 3), (0, 20, 20)]
)
def test_as_many_partitions_are_read_as_requests_may_be_under_way(
    bound: int, concurrency: int | None, workers: int
) -> None:
    assert opened(bound, concurrency=concurrency).workers == workers


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the connector known, with its mapping."""
    (tmp_path / "acme.toml").write_text(MAPPING, encoding="utf-8")
    monkeypatch.setattr("rollbook.core.registry.registry.classes", {"acme": {"": Acme}})

    def mapping_file(kind: object) -> Path:
        return tmp_path / "acme.toml"

    monkeypatch.setattr("rollbook.core.connection.mapping_file", mapping_file)


@pytest.mark.usefixtures("installed")
def test_a_connection_is_opened_without_a_request() -> None:
    override = {"course_enrollment": {"user": {"id": "id(who)"}}}
    connection = open_connection("hr", "acme", {"api_key": "s3cret"}, override=override)

    assert connection.name == "hr"
    assert isinstance(connection.connector, Acme)
    assert connection.http.stats.requests == 0
    assert connection.normalizer.identify({"no": 7}, "course_enrollment") == "7"


@pytest.mark.usefixtures("installed")
def test_a_wrong_override_is_told_with_its_file() -> None:
    override = {"course_enrollment": {"user": {"id": "id(who"}}}

    with pytest.raises(MappingError, match=r"house\.toml"):
        open_connection("hr", "acme", {"api_key": "s3cret"}, override=override, override_file="house.toml")


@pytest.mark.usefixtures("installed")
def test_a_strategy_that_is_not_there_is_refused() -> None:
    with pytest.raises(UnknownName, match="unknown strategy of acme 'bulk'"):
        open_connection("hr", "acme", {"api_key": "s3cret", "strategy": "bulk"})
