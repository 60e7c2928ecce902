"""Every fault, at the first, a middle and the last request, for each pretend LMS: told, no hang, no silent loss.

However a sync ends that meets a fault: what is stored is right, nothing counts as removed that was not read, and once
the fault is over, the next sync ends as if there had been none. The table in docs/faults.md is made of this matrix.
"""

from __future__ import annotations

import gzip
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rollbook.core import connection
from rollbook.sandbox import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"

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
    "a connection that ends in the body": Fault(what="cut"),
    "a connection that is reset": Fault(what="reset"),
    "chunks without an end": Fault(what="unfinished"),
    "no gzip though it says so": answer(200, b"[]", content_type="application/json", content_encoding="gzip"),
    "a body that drips": Fault(what="drip", seconds=0.01),
    "no answer": Fault(what="slow", seconds=30.0),
    "JSON that stops": Fault(what="malformed"),
    "nothing instead of JSON": json_answer(""),
    "gzip that stops": answer(
        200, gzip.compress(b"[" + b"1," * 5000)[:200], content_type="application/json", content_encoding="gzip"
    ),
    "10,000 levels": json_answer("[" * 10_000 + "]" * 10_000),
}
"""Met once, the request is repeated and nothing is left of them."""

LASTING = {
    "400": answer(400, b'{"message": "no"}', content_type="application/json"),
    "401": answer(401, b"{}", content_type="application/json", www_authenticate='Bearer realm="lms"'),
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
    "JSON of another shape": json_answer('{"unexpected": true}'),
    "a text instead of a list": json_answer('"maintenance"'),
    "a list of texts": json_answer('["a", "b"]'),
    "null": json_answer("null"),
    "compressed twice": answer(200, gzip.compress(b"[]"), content_encoding="gzip, gzip"),
    "100 MB": answer(
        200, gzip.compress(b"[" + b" " * 100_000_000 + b"]"), content_type="application/json", content_encoding="gzip"
    ),
}
"""Met once, the request is not repeated (it would be the same again), and its part of the LMS is told as not read."""


@pytest.fixture(autouse=True, scope="module")
def quick() -> Iterator[None]:
    """Let a body that never ends be given up soon, and a mapping be loaded once only."""
    loaded: dict[Any, Any] = {}
    load = connection.read_definition

    def once(kind: Any, *_override: object) -> Any:
        return loaded.setdefault(kind, None) or loaded.__setitem__(kind, load(kind)) or loaded[kind]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rollbook.core.http.wire.PATIENCE", 2)
        patch.setattr("rollbook.core.connection.read_definition", once)
        yield


PLACES = ("first", "middle", "last")
FAULTS = {**PASSING, **LASTING}
QUIET = "{} {}  []"
"""What is said where there is nothing to say."""


def nth(place: str, asked: list[str]) -> int:
    return {"first": 1, "middle": len(asked) // 2 + 1, "last": len(asked)}[place]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_that_is_met_once(
    lms: Any, book: Callable[..., Any], name: str, place: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fault = FAULTS[name]
    lms.sandbox.faults.add(replace(fault, nth=nth(place, lms.asked)))
    mine = book(lms.vendor, tmp_path, lms.empty)
    outcome, said = mine.sync(lms.sandbox, timeout=_patience(fault))
    stored = mine.rows()

    assert stored.items() <= lms.rows.items(), "a row is wrong, or counts as removed"
    if name in PASSING:
        assert (outcome, stored, said) == ("complete", lms.rows, QUIET)
    else:
        if stored != lms.rows:
            assert outcome in ("partial", "failed") or _is_gone(fault), "a silent loss"
            assert len(said) > len(QUIET) or _is_gone(fault), "nothing is said"
        assert mine.sync(lms.sandbox)[0] == "complete"
        assert mine.rows() == lms.rows
    for told in (lms.sandbox.app.vendor.key, "example.com", *(row[1] for row in lms.rows.values() if row[1])):
        assert told not in said.replace("elsewhere.example.com", "")
        assert told not in caplog.text.replace("elsewhere.example.com", "")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_that_stays(lms: Any, book: Callable[..., Any], name: str, place: str, tmp_path: Path) -> None:
    fault = FAULTS[name]
    lms.sandbox.faults.add(replace(fault, path=lms.path(nth(place, lms.asked)), times=None))
    mine = book(lms.vendor, tmp_path, lms.book)
    outcome, said = mine.sync(lms.sandbox, timeout=_patience(fault))
    stored = mine.rows()
    lms.sandbox.faults.clear()

    if not _is_gone(fault):
        assert stored == lms.rows, "a row is wrong, or counts as removed though it was not read"
        assert outcome in ("partial", "failed")
        assert len(said) > len(QUIET), "nothing is said"
    assert mine.sync(lms.sandbox)[0] == "complete"
    assert mine.rows() == lms.rows


def _patience(fault: Fault) -> float:
    return 0.2 if fault.what in ("drip", "slow") else 20.0


def _is_gone(fault: Fault) -> bool:
    return fault.status == 404  # a course or user that vanished while the LMS was read


def test_the_documented_table_is_this_matrix() -> None:
    """`python -m pytest tests/faults/test_matrix.py -k documented` shows the difference."""
    rows = [
        *(f"| {name} | complete, as without it | partial or failed; nothing removed |" for name in PASSING),
        *(
            f"| {name} | partial or failed; nothing removed | partial or failed; nothing removed |"
            if not _is_gone(fault)
            else f"| {name} | an item: complete without it; a list: partial or failed | the same |"
            for name, fault in LASTING.items()
        ),
    ]
    documented = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]

    assert documented[2:] == rows
