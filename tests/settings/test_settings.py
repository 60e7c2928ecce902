"""`rollbook.toml` is read as it is meant, and what is wrong in it is told in a line that helps."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
from rollbook.core.errors import SettingsError, UnknownName
from rollbook.core.registry import registry
from rollbook.core.settings import load_config

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rollbook.core.settings import Config

    Read = Callable[[str], Config]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Write a config into the working directory, and read it."""
    monkeypatch.chdir(tmp_path)

    def read(text: str) -> Config:
        (tmp_path / "rollbook.toml").write_text(text, encoding="utf-8")
        return load_config()

    return read


ACME = '[connections.acme]\nconnector = "canvas"\n'


def test_a_connection_has_a_connector_settings_and_a_mapping(read: Read) -> None:
    config = read(
        f'{ACME}account_id = "7"\n[connections.acme.mapping.course_enrollment.custom_fields]\ncost_center = "user.cc"\n'
    )
    acme = config.connection("acme")

    assert acme.connector == "canvas"
    assert config.settings("acme") == {"account_id": "7"}
    assert acme.mapping == {"course_enrollment": {"custom_fields": {"cost_center": "user.cc"}}}


def test_the_store_is_beside_the_config_by_default(read: Read, tmp_path: Path) -> None:
    assert read("").store == f"sqlite:///{tmp_path}/rollbook.db"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///data/book.db", "sqlite:///{folder}/data/book.db"),
        ("sqlite:///book.db?timeout=5", "sqlite:///{folder}/book.db?timeout=5"),
        ("sqlite+pysqlite:///book.db", "sqlite+pysqlite:///{folder}/book.db"),
        ("sqlite:////var/book.db", "sqlite:////var/book.db"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("sqlite://", "sqlite://"),
        ("postgresql://me@db.example.com/book", "postgresql://me@db.example.com/book"),
    ],
)
def test_a_relative_path_of_sqlite_is_relative_to_the_config(
    read: Read, tmp_path: Path, url: str, expected: str
) -> None:
    assert read(f'[store]\nurl = "{url}"').store == expected.format(folder=tmp_path)


def test_the_folder_is_the_configs_own_wherever_it_is_read_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "other.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    config = load_config(tmp_path.__class__("conf/other.toml"))
    monkeypatch.chdir("/")

    assert config.store == f"sqlite:///{tmp_path}/conf/rollbook.db"


def test_the_stores_address_may_come_from_the_environment(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOOK", "postgresql://me:secret@db.example.com/book")
    config = read('[store]\nurl = { env = "BOOK" }')

    assert config.store == "postgresql://me:secret@db.example.com/book"
    assert "secret" not in repr(config)


def test_a_secret_comes_from_the_environment_a_file_or_the_text(
    read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_TOKEN", "from the environment")
    (tmp_path / "key").write_text("from a file\n")
    config = read(f'{ACME}one = {{ env = "ACME_TOKEN" }}\ntwo = {{ file = "key" }}\nthree = "as it is"\n')

    assert config.settings("acme") == {"one": "from the environment", "two": "from a file", "three": "as it is"}


def test_a_secret_is_only_fetched_for_the_connection_that_is_used(read: Read) -> None:
    config = read(f'{ACME}[connections.other]\nconnector = "moodle"\ntoken = {{ env = "NOT_SET_ANYWHERE" }}\n')

    assert config.settings("acme") == {}


def test_secrets_are_not_in_the_configs_repr(read: Read) -> None:
    assert "hunter2" not in repr(read(f'{ACME}access_token = "hunter2"\n'))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ('{ env = "NOT_SET_ANYWHERE" }', "the environment variable NOT_SET_ANYWHERE is not set"),
        ('{ env = "EMPTY_HERE" }', "the environment variable EMPTY_HERE is empty"),
        ('{ file = "nowhere" }', "nowhere cannot be read: No such file or directory"),
        ('{ env = "A", file = "b" }', "says in an odd way where it is kept"),
        ("{ env = 5 }", "says in an odd way where it is kept"),
    ],
)
def test_a_secret_that_is_not_there_is_told_with_its_connection_and_setting(
    read: Read, monkeypatch: pytest.MonkeyPatch, value: str, said: str
) -> None:
    monkeypatch.setenv("EMPTY_HERE", "")
    with pytest.raises(SettingsError) as caught:
        read(f"{ACME}access_token = {value}\n").settings("acme")

    assert said in str(caught.value)
    assert "connection 'acme'" in str(caught.value)
    assert "'access_token'" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[store\n", "rollbook.toml: not TOML: .*line 1, column 7"),
        ("[stor]\n", "rollbook.toml: unknown table 'stor'\nDid you mean 'store'"),
        ("[store]\nurll = 'x'\n", r"unknown key of \[store\] 'urll'\nDid you mean 'url'"),
        ("[store]\nurl = 5\n", "url is not a text"),
        ("store = 5\n", "'store' is not a table"),
        ("[plugins]\nmodule = []\n", r"unknown key of \[plugins\] 'module'\nDid you mean 'modules'"),
        ("[plugins]\nmodules = [1]\n", "modules is not a list of texts"),
        ("[connections]\nacme = 5\n", "'acme' is not a table"),
        ("[connections.acme]\ntoken = 'x'\n", "the connection 'acme' does not say which LMS it is"),
        (f"{ACME}mapping = 5\n", "connection 'acme': 'mapping' is not a table"),
    ],
)
def test_a_mistake_is_told_with_the_file_and_what_was_expected(read: Read, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        read(text)


def test_a_config_that_is_not_utf8_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes("title = 'Übung'".encode("latin-1"))
    with pytest.raises(SettingsError, match="the text is not UTF-8"):
        load_config(tmp_path / "latin.toml")


def test_without_a_config_the_way_to_one_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match=r"there is no rollbook\.toml here\n.*rollbook init.*rollbook demo"):
        load_config()


def test_an_unknown_connection_suggests_the_nearest(read: Read) -> None:
    with pytest.raises(UnknownName, match="unknown connection 'akme'\nDid you mean 'acme'"):
        read(ACME).connection("akme")


TALENT = '[connections.acme]\nconnector = "talentlms"\napi_key = { env = "NOT_SET_ANYWHERE" }\n'


def test_the_mapping_of_a_connection_needs_no_secret(read: Read) -> None:
    config = read(
        f'{TALENT}domain = "acme"\nstrategy = "courses"\npass_mark = 70\n'
        "[connections.acme.mapping.course_enrollment]\nscore = 'number(enrollment.grade)'\n"
    )
    kind, definition, public = config.mapping("acme")

    assert (kind.name, kind.strategy) == ("talentlms", "courses")
    assert definition.kinds[""].fields["score"].file == "rollbook.toml"
    assert (public["domain"], public["pass_mark"]) == ("acme", 70.0)
    assert "api_key" not in public


def test_a_setting_that_is_no_secret_is_fetched_for_the_mapping(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL", "acme")

    assert read(f'{TALENT}domain = {{ env = "PORTAL" }}\n').mapping("acme")[2]["domain"] == "acme"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TALENT, "connection 'acme': set `domain`"),
        (TALENT.replace("talentlms", "talentlm"), "connection 'acme': unknown connector 'talentlm'\nDid you mean"),
        (
            f'{TALENT}domian = "acme"\n',
            "connection 'acme': unknown setting of talentlms 'domian'\nDid you mean 'domain'",
        ),
        (f'{TALENT}domain = "acme"\nstrategy = "user"\n', "unknown strategy of talentlms 'user'\nDid you mean 'users'"),
    ],
)
def test_what_is_wrong_with_a_connection_is_told_without_its_secrets(read: Read, text: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(text).mapping("acme")

    assert said in str(caught.value)
    assert "NOT_SET_ANYWHERE" not in str(caught.value)


STRICT = """
from pydantic import SecretStr, field_validator
from rollbook.core.connector import Connector, Settings
from rollbook.core.registry import register

class StrictSettings(Settings):
    token: SecretStr

    @field_validator("token")
    @classmethod
    def _looks_right(cls, value):
        if not value.get_secret_value().startswith("key-"):
            raise ValueError("expected a key")
        return value

@register
class Strict(Connector[StrictSettings]):
    name, title, Settings = "strict", "Strict LMS", StrictSettings

    async def pages(self, partition, cursor, since):
        yield
"""


def test_a_secret_that_the_settings_look_into_is_fetched_after_all(
    read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "classes", {**registry.classes})
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "strict_lms", raising=False)
    (tmp_path / "strict_lms.py").write_text(STRICT)
    (tmp_path / "strict.toml").write_text('connector = "strict"\n[course_enrollment]\nid = "id(id)"\n')
    config = read(
        '[plugins]\nmodules = ["strict_lms"]\n[connections.acme]\nconnector = "strict"\ntoken = { env = "TOKEN" }\n'
    )
    with pytest.raises(SettingsError, match="expected a key"):
        config.mapping("acme")
    monkeypatch.setenv("TOKEN", "key-1")

    assert config.mapping("acme")[0].name == "strict"


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
@pytest.mark.parametrize(("mode", "expected"), [(0o600, []), (0o640, ["token"]), (0o604, ["token"])])
def test_plain_secrets_in_a_config_that_others_can_read_are_named(
    read: Read, tmp_path: Path, mode: int, expected: list[str]
) -> None:
    config = read(f'{ACME}token = "plain"\nkey = {{ env = "KEPT_ELSEWHERE" }}\n')
    (tmp_path / "rollbook.toml").chmod(mode)

    assert config.exposed("acme", {"token", "key"}) == expected
