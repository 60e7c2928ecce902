"""Every fault, at the first, a middle and the last request, for each pretend LMS: told, no hang, no silent loss.

However a sync ends that meets a fault: what is stored is right, nothing counts as removed that was not read, and once
the fault is over, the next sync ends as if there had been none.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest
from rollbook.core.connection import open_connection
from rollbook.core.errors import RollbookError
from rollbook.core.http import no_waits
from rollbook.core.store import Store
from rollbook.core.sync import Sync
from rollbook.sandbox import Fault, Sandbox, Tenant

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rollbook.core.http.wire.PATIENCE", 2)


AS_OF = datetime(2026, 6, 1, 12, tzinfo=UTC)
VENDORS = ("talentlms", "canvas")
HTML = b"<html><body>Bad Gateway</body></html>"
JSON = {"content-type": "application/json"}


def answer(status: int = 200, body: bytes = b"", **headers: str) -> Fault:
    return Fault(
        what="answer",
        status=status,
        body=body,
        headers={name.replace("_", "-"): text for name, text in headers.items()},
    )


def json_answer(text: str | bytes) -> Fault:
    return answer(200, text.encode() if isinstance(text, str) else text, content_type="application/json")


def throttled(retry_after: str | None) -> Fault:
    return Fault(what="throttle", status=429, retry_after=retry_after)


PASSING = {
    "408": answer(408),
    "429": throttled(None),
    "429 in 7 seconds": throttled("7"),
    "429 until a date": throttled(format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)),
    "429 with a senseless time": throttled("soon"),
    "429 with a time in the past": throttled("Thu, 01 Jan 1970 00:00:00 GMT"),
    "500": Fault(what="error"),
    "502 in HTML": answer(502, HTML, content_type="text/html"),
    "503": answer(503),
    "503 with a time": answer(503, retry_after="3"),
    "504": answer(504),
    "a connection that breaks": Fault(what="cut"),
    "no gzip though it says so": answer(200, b"[]", content_type="application/json", content_encoding="gzip"),
    "a body that drips": Fault(what="drip", seconds=0.01),
    "no answer": Fault(what="slow", seconds=30.0),
}
"""Met once, the request is repeated and nothing is left of them."""

LASTING = {
    "400": answer(400, b'{"message": "no"}', content_type="application/json"),
    "403": answer(403, b"{}", content_type="application/json"),
    "404": answer(404, b"{}", content_type="application/json"),
    "409": answer(409),
    "413": answer(413),
    "301 to another host": answer(301, location="https://elsewhere.example.com/"),
    "303 to another host": answer(303, location="https://elsewhere.example.com/"),
    "308 to another host": answer(308, location="https://elsewhere.example.com/"),
    "302 to a login page": answer(302, location="/login"),
    "an empty body": answer(200),
    "HTML instead of JSON": answer(200, HTML, content_type="text/html"),
    "gzip that stops": answer(
        200, gzip.compress(b"[" + b"1," * 5000)[:200], content_type="application/json", content_encoding="gzip"
    ),
    "JSON that stops": Fault(what="malformed"),
    "JSON of another shape": json_answer('{"unexpected": true}'),
    "a text instead of a list": json_answer('"maintenance"'),
    "a list of texts": json_answer('["a", "b"]'),
    "null": json_answer("null"),
    "10,000 levels": json_answer("[" * 10_000 + "]" * 10_000),
    "compressed twice": answer(200, gzip.compress(b"[]"), content_encoding="gzip, gzip"),
    "100 MB": answer(
        200, gzip.compress(b"[" + b" " * 100_000_000 + b"]"), content_type="application/json", content_encoding="gzip"
    ),
}
"""Met once, the request is not repeated (it would be the same again), and its part of the LMS is told as not read."""


class Book:
    """A pretend LMS, and a store that it is read into."""

    def __init__(self, vendor: str, path: Path) -> None:
        self.vendor = vendor
        self.address = f"sqlite:///{path / 'book.db'}"

    def sync(self, sandbox: Sandbox, **settings: Any) -> tuple[str, str]:
        """Sync; gives the outcome, and everything that was said."""

        async def run() -> tuple[str, str]:
            values = {**sandbox.settings, "concurrency": 1, **settings}
            with no_waits(), Store(self.address) as store:
                async with asyncio.timeout(60), open_connection("acme", self.vendor, values) as connection:
                    report = await Sync(connection, store, clock=lambda: AS_OF).run()
                    return str(report.outcome), f"{report.failures} {report.forbidden} {report.error} {report.totals}"

        try:
            return asyncio.run(run())
        except RollbookError as error:
            return "failed", f"{error} {error!r}"

    def rows(self) -> dict[str, tuple[Any, ...]]:
        with Store(self.address) as store:
            return {
                row["id"]: (row["status"], row["user_name"], row["course_title"], row["remote_data"], row["removed_at"])
                for row in store.rows("acme", removed=True)
            }


@pytest.fixture(scope="module", params=VENDORS)
def clean(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, dict[str, Any], list[str]]:
    """Sync without a fault: the vendor, the rows, and the requests in order."""
    book = Book(request.param, tmp_path_factory.mktemp("clean"))
    with Sandbox(request.param, tenant=Tenant(size=6, as_of=AS_OF)) as sandbox:
        outcome, _ = book.sync(sandbox)
        asked = list(sandbox.requests)

    assert outcome == "complete"
    return request.param, book.rows(), asked


QUIET = "{} []  []"
"""What is said where there is nothing to say."""
PLACES = ("first", "middle", "last")


def nth(place: str, asked: list[str]) -> int:
    return {"first": 1, "middle": len(asked) // 2, "last": len(asked)}[place]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("fault", {**PASSING, **LASTING}.values(), ids=[*PASSING, *LASTING])
def test_a_fault_that_is_met_once(
    clean: tuple[str, dict[str, Any], list[str]],
    fault: Fault,
    place: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    vendor, rows, asked = clean
    book = Book(vendor, tmp_path)
    with Sandbox(vendor, tenant=Tenant(size=6, as_of=AS_OF), faults=[replace(fault, nth=nth(place, asked))]) as sandbox:
        outcome, said = book.sync(sandbox, timeout=0.2 if _is_slow(fault) else 20.0)
        stored = book.rows()
        again, _ = book.sync(sandbox)

    assert stored.items() <= rows.items(), "a row is wrong, or counts as removed"
    if fault in PASSING.values():
        assert (outcome, stored) == ("complete", rows)
    elif stored != rows:
        assert outcome in ("partial", "failed") or _is_gone(fault), "a silent loss"
        assert len(said) > len(QUIET) or _is_gone(fault), "nothing is said"
    assert (again, book.rows()) == ("complete", rows)
    for told in (sandbox.app.vendor.key, "example.com", *(row[1] for row in rows.values() if row[1])):
        assert told not in said.replace("elsewhere.example.com", "")
        assert told not in caplog.text.replace("elsewhere.example.com", "")


def _is_slow(fault: Fault) -> bool:
    return fault.what in ("drip", "slow")


def _is_gone(fault: Fault) -> bool:
    return fault.status == 404  # a course or user that vanished while the LMS was read


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("fault", {**PASSING, **LASTING}.values(), ids=[*PASSING, *LASTING])
def test_a_fault_that_stays(
    clean: tuple[str, dict[str, Any], list[str]], fault: Fault, place: str, tmp_path: Path
) -> None:
    vendor, rows, asked = clean
    path = asked[nth(place, asked) - 1].partition(" ")[2]
    book = Book(vendor, tmp_path)
    with Sandbox(vendor, tenant=Tenant(size=6, as_of=AS_OF)) as sandbox:
        book.sync(sandbox)
        sandbox.faults.add(replace(fault, path=path, times=None))
        outcome, said = book.sync(sandbox, timeout=0.2 if _is_slow(fault) else 20.0)
        stored = book.rows()
        sandbox.faults.clear()
        again, _ = book.sync(sandbox)

    if not _is_gone(fault):
        assert stored == rows, "a row is wrong, or counts as removed though it was not read"
        assert outcome in ("partial", "failed")
        assert len(said) > len(QUIET), "nothing is said"
    assert (again, book.rows()) == ("complete", rows)


def test_not_a_number_and_double_keys_are_kept_as_they_come(tmp_path: Path) -> None:
    """JSON that a strict reader would refuse: the record lives, with what was said last."""
    body = json.dumps({"id": "1", "first_name": "Mara", "last_name": "Quill", "courses": []})
    odd = body.replace(
        '"courses": []', '"courses": [{"id": "7", "name": "x", "name": "Safety", "completion_percentage": NaN}]'
    )
    with Sandbox("talentlms", tenant=Tenant(size=6, as_of=AS_OF)) as sandbox:
        sandbox.faults.add(replace(json_answer(odd), path="/api/v1/users/id:", times=1))
        book = Book("talentlms", tmp_path)
        outcome, _ = book.sync(sandbox)

    assert outcome == "complete"
    assert book.rows()["1:7"][2] == "Safety"
    assert "NaN" in book.rows()["1:7"][3]


@pytest.mark.parametrize("wait", ["100000", "9" * 30, format_datetime(datetime(2099, 1, 1, tzinfo=UTC), usegmt=True)])
@pytest.mark.parametrize("vendor", VENDORS)
def test_a_wait_that_is_too_long_ends_the_run_which_can_be_taken_up(vendor: str, wait: str, tmp_path: Path) -> None:
    book = Book(vendor, tmp_path)
    with Sandbox(vendor, tenant=Tenant(size=6, as_of=AS_OF)) as sandbox:
        sandbox.faults.add(replace(throttled(wait), nth=4))
        outcome, said = book.sync(sandbox, timeout=21.0)
        again, _ = book.sync(sandbox, timeout=22.0)

    assert outcome == "failed"
    assert "Start again" in said
    assert again == "complete"


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_page_that_repeats_is_told(vendor: str, tmp_path: Path) -> None:
    large = Tenant(size={"talentlms": 110, "canvas": 1_200}[vendor], as_of=AS_OF)
    with Sandbox(vendor, tenant=large) as sandbox:
        (tmp_path / "clean").mkdir()
        Book(vendor, tmp_path / "clean").sync(sandbox)
        paged = next(one for one in sandbox.requests if re.search(r"[?&]page=|page_number:2", one))
    path = re.split(r"page_number|\?", paged.partition(" ")[2])[0]
    book = Book(vendor, tmp_path)
    with Sandbox(vendor, tenant=large, faults=[Fault(what="repeat", path=path, nth=2, times=None)]) as sandbox:
        outcome, said = book.sync(sandbox)

    assert outcome in ("partial", "failed")
    assert "repeats itself" in said


def test_a_host_that_is_not_there_is_named(tmp_path: Path) -> None:
    for base_url in ("http://127.0.0.1:9", "https://nowhere.invalid"):
        book = Book("canvas", tmp_path)
        with Sandbox("canvas") as sandbox:
            outcome, said = book.sync(sandbox, base_url=base_url)

        assert outcome == "failed"
        assert base_url.partition("//")[2].partition(":")[0] in said
