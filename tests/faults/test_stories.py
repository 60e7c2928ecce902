"""Faults with a story of their own: what they do to the sync, to the rows, and to the exit status."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from rollbook.core.cli import cli
from rollbook.core.http import no_waits
from rollbook.sandbox import Fault, Sandbox, Tenant

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

AS_OF = datetime(2026, 6, 1, 12, tzinfo=UTC)
VENDORS = ("talentlms", "canvas")
EXPIRED = {"WWW-Authenticate": 'Bearer realm="canvas-lms"', "Content-Type": "application/json"}
CONFIG = """\
[connections.acme]
connector = "{vendor}"
{settings}
"""


def tenant(size: int = 6) -> Tenant:
    return Tenant(size=size, as_of=AS_OF)


def answer(status: int, body: bytes = b"{}") -> Fault:
    return Fault(what="answer", status=status, body=body, headers={"Content-Type": "application/json"})


# --- signing in ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_a_token_that_is_refused_on_the_way_is_renewed_once(
    lms: Any, book: Callable[..., Any], place: str, tmp_path: Path
) -> None:
    if lms.vendor != "canvas":
        pytest.skip("only Canvas gives out tokens that can be renewed")
    vendor = lms.sandbox.app.vendor
    count = len(lms.asked)
    at = {"first": 1, "middle": count // 2, "last": count}[place] + 1  # the token is asked for first
    lms.sandbox.faults.add(Fault(what="pass", path="/", nth=at, then=vendor.revoke))
    before = vendor.grants
    mine = book("canvas", tmp_path, lms.empty)
    outcome, _ = mine.sync(lms.sandbox, access_token=None, **vendor.developer_key(lms.sandbox.base_url))

    assert (outcome, mine.rows()) == ("complete", lms.rows)
    assert vendor.grants - before == 2
    assert len(lms.sandbox.requests) == count + 1 + 2, "one request is sent again, after another for the token"


def test_a_refresh_token_that_is_withdrawn_on_the_way_is_told_and_removes_nothing(
    lms: Any, book: Callable[..., Any], tmp_path: Path
) -> None:
    if lms.vendor != "canvas":
        pytest.skip("only Canvas gives out tokens that can be renewed")
    vendor = lms.sandbox.app.vendor
    lms.sandbox.faults.add(Fault(what="pass", path="/api", nth=4, then=vendor.revoke))
    lms.sandbox.faults.add(replace(answer(400, b'{"error": "invalid_grant"}'), path="/login", nth=2, times=None))
    mine = book("canvas", tmp_path, lms.book)
    outcome, said = mine.sync(lms.sandbox, access_token=None, **vendor.developer_key(lms.sandbox.base_url))

    assert outcome == "failed"
    assert "the LMS gives no token for these credentials (400, invalid_grant)" in said
    assert "refresh" not in said.replace("refresh_token", "")
    assert mine.rows() == lms.rows


# --- one part of the LMS ---------------------------------------------------------------------------------------------


def work(folder: Path, sandbox: Sandbox, vendor: str) -> None:
    settings = "\n".join(f"{name} = {json.dumps(value)}" for name, value in sandbox.settings.items())
    (folder / "rollbook.toml").write_text(CONFIG.format(vendor=vendor, settings=settings), encoding="utf-8")


def run(*arguments: str) -> Any:
    with no_waits():
        return CliRunner().invoke(cli, arguments)


def exported() -> dict[str, dict[str, Any]]:
    lines = run("export", "acme", "--format", "jsonl", "--as-of", AS_OF.isoformat()).stdout.splitlines()
    return {row["id"]: row for row in map(json.loads, lines)}


PART = {"talentlms": "/api/v1/users/id:103", "canvas": "/api/v1/courses/12/"}


def of_part(vendor: str, rows: dict[str, dict[str, Any]]) -> set[str]:
    """Give the ids of the rows of the user or course that the fault is about."""
    who, id = {"talentlms": ("user", "103"), "canvas": ("course", "12")}[vendor]
    return {key for key, row in rows.items() if row[who]["id"] == id}


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize(
    "fault",
    [answer(403), Fault(what="error", times=None), Fault(what="cut"), answer(200, b"[1, 2"), answer(200, b"null")],
    ids=["403", "500", "a connection that breaks", "JSON that stops", "null"],
)
def test_a_part_that_fails_leaves_the_others_and_removes_nothing_and_the_command_ends_with_3(
    vendor: str, fault: Fault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The LMS changed meanwhile: what was read is new, what was not is as before."""
    monkeypatch.chdir(tmp_path)
    with Sandbox(vendor, tenant=tenant()) as sandbox:
        work(tmp_path, sandbox, vendor)
        first = run("sync", "acme").exit_code
        before = exported()
        theirs = of_part(vendor, before)
        new = sandbox.tenant.enrol(101 if vendor == "talentlms" else 103, 11 if vendor == "canvas" else 14)
        sandbox.tenant.enrol(103, 12)  # of the part that is not read
        sandbox.faults.add(replace(fault, path=PART[vendor], times=None))
        second = run("sync", "acme")
        during = exported()
        sandbox.faults.clear()
        third = run("sync", "acme").exit_code
        after = exported()

    assert (first, second.exit_code, third) == (0, 3, 0)
    assert theirs
    assert {id: during[id] for id in theirs} == {id: before[id] for id in theirs}
    assert set(during) - set(before) == {str(new.id) if vendor == "canvas" else f"{new.person}:{new.course}"}
    assert set(before) <= set(during), "a row counts as removed"
    assert set(during) < set(after)
    assert len(after) == len(during) + 1


def test_a_user_who_is_gone_takes_nobody_along(book: Callable[..., Any], tmp_path: Path) -> None:
    """404 on one user: deleted between the list and the question. Only that user's rows count as removed."""
    with Sandbox("talentlms", tenant=tenant()) as sandbox:
        mine = book("talentlms", tmp_path)
        mine.sync(sandbox)
        before = mine.rows()
        sandbox.faults.add(replace(answer(404), path="/api/v1/users/id:103", times=None))
        outcome, _ = mine.sync(sandbox)
        during = mine.rows()
        sandbox.faults.clear()
        again, _ = mine.sync(sandbox)

    removed = {id for id, row in during.items() if row[4]}
    assert outcome == "complete"
    assert removed == {id for id in before if id.startswith("103:")} != set()
    assert {id: row for id, row in during.items() if id not in removed} == {
        id: row for id, row in before.items() if id not in removed
    }
    assert (again, mine.rows()) == ("complete", before)


# --- pages -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_list_that_shrinks_while_it_is_read_loses_nobody_else(
    vendor: str, book: Callable[..., Any], tmp_path: Path
) -> None:
    """Somebody of the first page is deleted before the second is asked for: the pages shift by one."""
    people = Tenant(size={"talentlms": 130, "canvas": 1_200}[vendor], courses=6, as_of=AS_OF)
    second = {"talentlms": "/api/v1/users/page_size:100,page_number:2", "canvas": "/api/v1/courses/11/enrollments"}
    with Sandbox(vendor, tenant=people) as sandbox:
        mine = book(vendor, tmp_path)
        mine.sync(sandbox)
        before = mine.rows()
        gone = next(people.of_course(11))
        nth = 1 if vendor == "talentlms" else 2
        shrink = (lambda: people.delete_person(104)) if vendor == "talentlms" else (lambda: people.remove(gone.id))
        sandbox.faults.add(Fault(what="pass", path=second[vendor], nth=nth, then=lambda: shrink() and None))
        outcome, _ = mine.sync(sandbox)
        during = mine.rows()
        mine.sync(sandbox)
        after = mine.rows()

    theirs = {id for id in before if id.startswith("104:")} if vendor == "talentlms" else {str(gone.id)}
    lost = {id for id, row in during.items() if row[4]} - theirs
    assert outcome == "complete"
    assert lost == set(), "rows of others count as removed"
    assert {id: row for id, row in after.items() if id not in theirs} == {
        id: row for id, row in before.items() if id not in theirs
    }


def test_not_a_number_and_double_keys_are_kept_as_they_come(book: Callable[..., Any], tmp_path: Path) -> None:
    """JSON that a strict reader would refuse: the record lives, with what was said last."""
    body = json.dumps({"id": "1", "first_name": "Mara", "last_name": "Quill", "courses": []})
    odd = body.replace(
        '"courses": []', '"courses": [{"id": "7", "name": "x", "name": "Safety", "completion_percentage": NaN}]'
    )
    with Sandbox("talentlms", tenant=tenant()) as sandbox:
        sandbox.faults.add(replace(answer(200, odd.encode()), path="/api/v1/users/id:", times=1))
        mine = book("talentlms", tmp_path)
        outcome, _ = mine.sync(sandbox)

    assert outcome == "complete"
    assert mine.rows()["1:7"][2] == "Safety"
    assert "NaN" in mine.rows()["1:7"][3]


@pytest.mark.parametrize("wait", ["100000", "9" * 30, format_datetime(datetime(2099, 1, 1, tzinfo=UTC), usegmt=True)])
@pytest.mark.parametrize("vendor", VENDORS)
def test_a_wait_that_is_too_long_ends_the_run_which_can_be_taken_up(
    vendor: str, wait: str, book: Callable[..., Any], tmp_path: Path
) -> None:
    mine = book(vendor, tmp_path)
    with Sandbox(vendor, tenant=tenant()) as sandbox:
        sandbox.faults.add(Fault(what="throttle", status=429, retry_after=wait, nth=4))
        outcome, said = mine.sync(sandbox, timeout=21.0)
        again, _ = mine.sync(sandbox, timeout=22.0)

    assert outcome == "failed"
    assert "Start again" in said
    assert again == "complete"


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_page_that_repeats_is_told(vendor: str, book: Callable[..., Any], tmp_path: Path) -> None:
    large = Tenant(size={"talentlms": 110, "canvas": 1_200}[vendor], as_of=AS_OF)
    with Sandbox(vendor, tenant=large) as sandbox:
        (tmp_path / "clean").mkdir()
        book(vendor, tmp_path / "clean").sync(sandbox)
        paged = next(one for one in sandbox.requests if re.search(r"[?&]page=|page_number:2", one))
    path = re.split(r"page_number|\?", paged.partition(" ")[2])[0]
    mine = book(vendor, tmp_path)
    with Sandbox(vendor, tenant=large, faults=[Fault(what="repeat", path=path, nth=2, times=None)]) as sandbox:
        outcome, said = mine.sync(sandbox)

    assert outcome in ("partial", "failed")
    assert "repeats itself" in said


def test_a_host_that_is_not_there_is_named(book: Callable[..., Any], tmp_path: Path) -> None:
    for base_url in ("http://127.0.0.1:9", "https://nowhere.invalid"):
        mine = book("canvas", tmp_path)
        with Sandbox("canvas") as sandbox:
            outcome, said = mine.sync(sandbox, base_url=base_url)

        assert outcome == "failed"
        assert base_url.partition("//")[2].partition(":")[0] in said
