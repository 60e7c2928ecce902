"""Every connector through every fault, by the command line: its secrets are in no output and in no file but the vault.

Readings without a command line, and each fault at each kind of request, are what the conformance suite tries.
"""

from __future__ import annotations

import functools
import json
import logging
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import pytest
from click.testing import CliRunner
from rollbook import connectors
from rollbook.core.cli import cli
from rollbook.core.connection import open_connection
from rollbook.core.http import no_waits
from rollbook.core.registry import find, registry
from rollbook.core.testing.case import load_case
from rollbook.core.testing.conformance import faults
from rollbook.core.testing.conformance.lms import Fault, RecordedLms, Scripted
from rollbook.core.testing.conformance.shapes import key_of

if TYPE_CHECKING:
    from rollbook.core.testing.case import Case

FIXTURES = Path(__file__).parents[1] / "fixtures"
CASES = sorted(FIXTURES.glob("*/tenant.har.json"))


def _echo(status: int) -> Any:
    """Answer with all that was sent, as a careless LMS or proxy does."""

    def answer(request: httpx.Request, recorded: httpx.Response) -> httpx.Response:
        del recorded
        sent = f"{request.url} {dict(request.headers)} {request.content.decode(errors='replace')}"
        told = {
            "error": sent,
            "message": sent,
            "errorcode": sent,
            "exception": sent,
            "name": sent,
            "error_description": sent,
        }
        return httpx.Response(status, json=told, headers={"X-Sent": sent.replace("\n", " ")[:2000]})

    return answer


def _elsewhere(request: httpx.Request, recorded: httpx.Response) -> httpx.Response:
    del recorded
    return httpx.Response(302, headers={"Location": f"https://evil.example.net/?{request.url.query.decode()}"})


FAULTS = (
    None,
    *(getattr(faults, name) for name in faults.__all__),
    *(Fault(f"an echo with {status}", _echo(status)) for status in (200, 400, 401, 403, 404, 422, 429, 500)),
    Fault("a redirect to another host", _elsewhere),
)


def _secrets(case: Case) -> dict[str, str]:
    """Give the case's secrets: they are what the recording knows, and marked as made up."""
    kind = find(case.folder.name, str(case.settings.get("strategy", "")))
    return {name: str(case.settings[name]) for name in sorted(kind.Settings.secrets()) if case.settings.get(name)}


def _issued(lms: RecordedLms) -> set[str]:
    """Give the tokens that the recorded LMS gives out."""
    found: set[str] = set()
    for one in lms.exchanges:
        if b"_token" in one.content:
            told: Any = json.loads(one.content)
            found |= {str(value) for name, value in told.items() if name.endswith("_token")}
    return found


@dataclass
class Driven:
    """What a connector said and left, having been driven through faults."""

    secrets: set[str]
    told: str
    kept: dict[str, bytes]
    failed: int

    def leaks(self) -> set[str]:
        """Give where a secret stands: in what was said, or in a file."""
        found: set[str] = set()
        for secret in self.secrets:
            whole = len(secret) // 3 * 3  # the end of a Base64 text depends on what follows
            forms = {secret, quote(secret, safe=""), secret.encode().hex(), b64encode(secret.encode()[:whole]).decode()}
            found |= {"what was said" for form in forms if form in self.told}
            found |= {name for name, content in self.kept.items() if any(form.encode() in content for form in forms)}
        return found


def drive(
    file: Path,
    faults: tuple[Any, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> Driven:
    registry.load()
    case = load_case(file)
    har = case.load()
    read = [one for one in har.exchanges if one.use == "read"]
    secrets = _secrets(case)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROLLBOOK_DEBUG", "1")
    for name, secret in secrets.items():
        monkeypatch.setenv(f"SECRET_{name}".upper(), secret)
    settings = {name: value for name, value in case.settings.items() if name not in secrets}
    lines = ["[connections.acme]", f"connector = {json.dumps(file.parent.name)}"]
    lines += [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    lines += [f'{name} = {{ env = "{f"SECRET_{name}".upper()}" }}' for name in secrets]
    Path("rollbook.toml").write_text("\n".join(lines) + "\n")
    caplog.set_level(logging.DEBUG)
    told, failed = "", 0
    tokens: set[str] = set()
    for fault in faults:
        last = key_of(read[-1] if fault else read[0])
        scripted = (Scripted(fault, functools.partial(_is, last)),) if fault else ()
        lms = RecordedLms(har.exchanges, scripted, budget=2_000)
        tokens |= _issued(lms)
        opener = functools.partial(open_connection, transport=lms, sample=case.sampled())
        monkeypatch.setattr("rollbook.core.connection.open_connection", opener)
        with no_waits():
            for args in (["check", "acme"], ["sync", "acme", "--full"]):
                result = CliRunner().invoke(cli, args)
                failed += result.exit_code != 0
                told += f"{result.output}{result.exception!r}"
    for args in (["status"], ["drift", "acme"], ["rejected", "acme", "--format", "jsonl"], ["export", "acme"]):
        told += CliRunner().invoke(cli, args).output
    told += caplog.text + "".join(repr(record.__dict__) for record in caplog.records)
    kept = {one.name: one.read_bytes() for one in tmp_path.iterdir() if not one.name.startswith("rollbook.vault")}

    return Driven({*secrets.values(), *tokens}, told, kept, failed)


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.parent.name)
def test_no_secret_is_in_any_output_or_file(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    driven = drive(file, FAULTS, tmp_path, monkeypatch, caplog)

    assert driven.failed >= 4
    assert driven.secrets
    assert "rollbook.db" in driven.kept
    assert driven.leaks() == set()


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.parent.name)
def test_a_secret_that_were_logged_or_stored_would_be_found(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A careless line in the log, and a careless file, each with all that a request is signed with."""

    def careless(request: httpx.Request) -> str:
        sent = f"{request.url} {request.headers.raw!r} {request.content!r}"
        with Path("notes.txt").open("a") as notes:
            notes.write(sent)
        return sent

    monkeypatch.setattr("rollbook.core.http.wire.name", careless)
    driven = drive(file, (None,), tmp_path, monkeypatch, caplog)

    assert driven.leaks() >= {"what was said", "notes.txt"}


def _is(key: object, asked: Any) -> bool:
    return key_of(asked) == key


def test_every_connector_has_a_case_here() -> None:
    built_in = {module.name for module in iter_modules(connectors.__path__) if module.name[0] != "_"}

    assert {file.parent.name for file in CASES} == built_in
