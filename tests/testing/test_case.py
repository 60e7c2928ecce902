"""A case is read into what is expected of it; what differs is told briefly, or written down for review."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from rollbook.core.errors import SettingsError, UnknownName
from rollbook.core.registry import find
from rollbook.core.testing import (
    Case,
    Recording,
    check_expected,
    differences,
    find_cases,
    load_case,
    read_case,
    update_expected,
)

if TYPE_CHECKING:
    from pathlib import Path

NOTHING: dict[str, Any] = {"enrollments": [], "skipped": {}, "rejected": [], "drift": []}


@pytest.fixture
def tenant(shelf: Path) -> Case:
    """Give the case with four loans on two shelves, and its connector."""
    find("shelf", modules=["shelf_lms"])
    return load_case(shelf / "fixtures" / "tenant.har.json")


def enrollment(id: str, **fields: Any) -> dict[str, Any]:
    one: dict[str, Any] = {"id": id, "status": "completed", "course": {"id": "1", "title": "Safety"}, "urls": []}
    return one | fields


def reading(*enrollments: dict[str, Any], **more: Any) -> dict[str, Any]:
    return NOTHING | {"enrollments": list(enrollments)} | more


def change(case: Case, **keys: Any) -> Case:
    """Change keys of the file of what is expected; None removes one."""
    said = json.loads(case.expected.read_text(encoding="utf-8")) | keys
    case.expected.write_text(json.dumps({key: value for key, value in said.items() if value is not None}))
    return load_case(case.expected)


def test_reading_a_case_gives_what_its_expected_file_says(tenant: Case) -> None:
    found = read_case(tenant)

    assert tenant.found == found
    assert check_expected(tenant, found) is None


def test_what_is_read_by_no_reading_of_the_tenant_need_not_be_asked_for(tenant: Case) -> None:
    assert {"fetch", "check", "read"} == {one.use for one in tenant.load().exchanges}

    read_case(tenant)


def test_enrollments_come_by_id_and_counts_by_name(tenant: Case) -> None:
    found = read_case(tenant)

    assert [one["id"] for one in found["enrollments"]] == ["11", "12", "21"]
    assert list(found) == ["enrollments", "skipped", "rejected", "drift"]
    assert found["skipped"] == {"librarian": 1}
    assert found["drift"] == [["status", "lost", 1]]


def test_statuses_are_told_for_the_instant_of_the_case_under_its_override(tenant: Case) -> None:
    mapping = {"course_enrollment": {"due_at": "datetime(loan.lent)"}}
    early, late = (
        replace(tenant, mapping=mapping, as_of=tenant.as_of.replace(year=2025)),
        replace(tenant, mapping=mapping),
    )

    assert read_case(early)["enrollments"][0]["status"] == "in_progress"
    assert read_case(late)["enrollments"][0]["status"] == "overdue"


def test_a_sampled_case_is_read_as_far_as_its_sample_goes(tenant: Case) -> None:
    exchanges = [one for one in tenant.load().exchanges if "page=2" not in one.url and "shelves/2" not in one.url]
    sampled = replace(tenant, sample={"pages": 1, "items": 1})
    found = read_case(sampled, httpx.MockTransport(Recording(exchanges).answer))

    assert [one["id"] for one in found["enrollments"]] == ["11"]


def test_a_recording_that_lacks_a_request_fails_with_that_request(tenant: Case) -> None:
    har = tenant.har.read_text(encoding="utf-8").replace("loans?size=2&page=2", "loans?size=9&page=2")
    tenant.har.write_text(har, encoding="utf-8")
    with pytest.raises(AssertionError) as caught:
        read_case(tenant)

    assert str(caught.value) == (
        "tenant.har.json:\n"
        "not recorded: GET https://shelf.example.com/shelves/1/loans [page=2 size=2]\n"
        "  nearest recorded: GET https://shelf.example.com/shelves/1/loans [page=2 size=9]\n"
        "    query size: '2', recorded '9'"
    )


def test_a_recording_of_which_a_part_is_not_asked_for_fails(tenant: Case) -> None:
    har = tenant.har.read_text(encoding="utf-8").replace('"_use": "check"', '"_use": "read"')
    tenant.har.write_text(har, encoding="utf-8")

    with pytest.raises(
        AssertionError, match=r"^tenant.har.json:\nrecorded, but never asked for: GET https://shelf.example.com/me$"
    ):
        read_case(tenant)


def test_a_part_that_cannot_be_read_fails_with_its_reason(tenant: Case) -> None:
    har = json.loads(tenant.har.read_text(encoding="utf-8"))
    [one] = [one for one in har["log"]["entries"] if "shelves/2/loans" in one["request"]["url"]]
    one["response"]["content"] = {"text": "<html>"}
    tenant.har.write_text(json.dumps(har))

    with pytest.raises(AssertionError, match=r"^1 partition\(s\) could not be read:\nshelf:2: ContractError: "):
        read_case(tenant)


def test_a_refusal_of_the_credentials_fails(tenant: Case) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(401))
    with pytest.raises(AssertionError, match=r"^reading stopped:\nAuthError: "):
        read_case(tenant, transport)


def test_a_transport_that_was_asked_for_something_unexpected_fails(tenant: Case) -> None:
    lms = httpx.MockTransport(Recording(tenant.load().exchanges).answer)
    lms.unexpected = ["GET https://shelf.example.com/x"]  # pyright: ignore[reportAttributeAccessIssue] - what is tested
    with pytest.raises(AssertionError, match=r"^tenant.har.json:\nnot recorded: GET https://shelf.example.com/x$"):
        read_case(tenant, lms)


def test_waits_pass_at_once(tenant: Case) -> None:
    har = json.loads(tenant.har.read_text(encoding="utf-8"))
    entries = har["log"]["entries"]
    slow = json.loads(json.dumps(entries[1]))
    slow["response"] = {"status": 429, "headers": [{"name": "Retry-After", "value": "100"}], "content": {"text": ""}}
    entries.insert(1, slow)
    tenant.har.write_text(json.dumps(har))

    assert read_case(tenant) == tenant.found


def test_a_case_that_names_no_connector_says_so(tenant: Case) -> None:
    with pytest.raises(SettingsError, match=r"tenant.expected.json: it does not say which connector reads this"):
        read_case(replace(tenant, connector=""))


def test_a_misspelt_setting_suggests_the_nearest(tenant: Case) -> None:
    with pytest.raises(UnknownName, match=r"Did you mean 'token'"):
        read_case(replace(tenant, settings={"tokn": "made-up-token"}))


def test_a_secret_that_is_not_made_up_is_not_shown(tenant: Case) -> None:
    with pytest.raises(AssertionError) as caught:
        read_case(replace(tenant, settings={"token": "k3y-of-somebody"}))

    assert "k3y" not in str(caught.value)
    assert "query token: '•••', recorded 'made-up-token'" in str(caught.value)


def test_what_differs_is_told_by_id_and_field() -> None:
    one = enrollment("1", user={"emails": [{"email": "ada@example.com"}]}, score=90)
    other = enrollment("1", user={"emails": [{"email": "bo@example.com"}]}, score=None, status="passed")

    assert differences(reading(one), reading(other)) == [
        '1  status: expected "completed", found "passed"',
        '1  user.emails[0].email: expected "ada@example.com", found "bo@example.com"',
        "1  score: expected 90, found null",
    ]


def test_what_is_the_same_does_not_differ() -> None:
    one = reading(enrollment("1", score=90, extra=float("nan")), enrollment("2"), skipped={"a": 1, "b": 2})
    other = reading(enrollment("2"), enrollment("1", score=90.0, extra=float("nan")), skipped={"b": 2, "a": 1})

    assert differences(one, other) == []


def test_true_is_not_one() -> None:
    assert differences(reading(enrollment("1", is_mandatory=True)), reading(enrollment("1", is_mandatory=1))) == [
        "1  is_mandatory: expected true, found 1"
    ]


def test_members_that_are_on_one_side_only_are_told() -> None:
    one, other = enrollment("1", custom_fields={"a": 1}), enrollment("1", custom_fields={"b": [2]}, urls=["x"])

    assert differences(reading(one), reading(other)) == [
        '1  urls[0]: expected nothing, found "x"',
        "1  custom_fields.a: expected 1, found nothing",
        "1  custom_fields.b: expected nothing, found [2]",
    ]


def test_enrollments_that_came_or_went_are_told() -> None:
    assert differences(reading(enrollment("1")), reading(enrollment("2"))) == [
        "1: expected, but not found",
        '2: found, but not expected (status "completed", course "Safety")',
    ]


def test_a_field_that_differs_everywhere_is_told_in_four_lines() -> None:
    one = [enrollment(str(number), score=number) for number in range(100)]
    other = [enrollment(str(number), score=number + 1) for number in range(100)]

    assert differences(reading(*one), reading(*other)) == [
        "0  score: expected 0, found 1",
        "1  score: expected 1, found 2",
        "2  score: expected 2, found 3",
        "... and 97 more differ in score",
    ]


def test_counts_that_differ_are_told() -> None:
    one = reading(skipped={"staff": 1}, rejected=[{"id": None, "reason": "no id"}], drift=[["status", "lost", 2]])
    other = reading(skipped={"staff": 3}, rejected=[{"id": "7", "reason": "no user"}], drift=[["status", "lost", 1]])

    assert differences(one, other) == [
        "skipped staff: expected 1, found 3",
        "rejected a record without an id (no id): expected 1, found 0",
        "rejected 7 (no user): expected 0, found 1",
        "drift status 'lost': expected 2, found 1",
    ]


def test_a_difference_is_short_and_steers_no_terminal() -> None:
    [line] = differences(
        reading(enrollment("1", note="\x1b[2J" + "x" * 500)), reading(enrollment("1", note="\ud83d\u202e"))
    )

    assert line.isprintable()
    assert len(line) < 120


def test_a_difference_fails_with_what_to_do(tenant: Case) -> None:
    found = read_case(tenant)
    found["enrollments"][0] |= {"status": "passed"}
    with pytest.raises(AssertionError) as caught:
        check_expected(tenant, found)

    assert str(caught.value) == (
        "tenant.expected.json and what was read differ:\n"
        '  11  status: expected "in_progress", found "passed"\n'
        "If what was found is right, run again with --update-expected and review the changed file."
    )


@pytest.mark.parametrize("found", [NOTHING, reading(enrollment("1"))])
def test_a_file_that_does_not_say_yet_what_comes_out_fails(tenant: Case, found: dict[str, Any]) -> None:
    fresh = change(tenant, enrollments=None, skipped=None, rejected=None, drift=None)
    with pytest.raises(AssertionError, match="the file does not say yet what comes out"):
        check_expected(fresh, found)


def test_an_update_writes_what_was_found_and_keeps_the_rest(tenant: Case) -> None:
    before = tenant.expected.read_text(encoding="utf-8")
    fresh = change(tenant, enrollments=None, skipped=None, rejected=None, drift=None)

    assert check_expected(fresh, read_case(fresh), update=True) == tenant.expected
    assert tenant.expected.read_text(encoding="utf-8") == before


def test_an_update_changes_only_the_lines_that_differ(tenant: Case) -> None:
    before = tenant.expected.read_text(encoding="utf-8").splitlines()
    found = read_case(tenant)
    found["enrollments"][1] |= {"progress_percent": 99.0}
    update_expected(tenant, found)
    after = tenant.expected.read_text(encoding="utf-8").splitlines()

    assert [line for line in after if line not in before] == ['   "progress_percent": 99.0,']
    assert len(after) == len(before)


def test_an_update_leaves_a_file_alone_that_says_the_same_in_other_words(tenant: Case) -> None:
    said = json.loads(tenant.expected.read_text(encoding="utf-8"))
    tenant.expected.write_text(json.dumps(said, sort_keys=True))
    other = load_case(tenant.expected)

    assert check_expected(other, read_case(other), update=True) is None
    assert tenant.expected.read_text(encoding="utf-8") == json.dumps(said, sort_keys=True)


def test_odd_values_come_back_from_the_file_as_they_were(tenant: Case) -> None:
    odd = {"half": "\ud83d", "large": 10**50, "nothing": float("nan"), "name": "Jøran 😀"}
    found = reading(enrollment("1", remote_data=odd))
    update_expected(tenant, found)

    assert check_expected(load_case(tenant.expected), found) is None


def test_a_native_record_with_odd_values_is_compared_whole(tenant: Case) -> None:
    har = json.loads(tenant.har.read_text(encoding="utf-8"))
    [one] = [one for one in har["log"]["entries"] if "shelves/2/loans" in one["request"]["url"]]
    one["response"]["content"]["_json"]["loans"][0]["odd"] = ["\ud83d", 10**50, float("nan")]
    tenant.har.write_text(json.dumps(har))
    update_expected(tenant, read_case(tenant))

    assert check_expected(load_case(tenant.har), read_case(tenant)) is None


def test_cases_are_found_by_name_from_either_file(shelf: Path) -> None:
    folder = shelf / "fixtures"

    assert [case.name for case in find_cases(folder)] == ["empty", "tenant"]
    assert load_case(folder / "tenant.har.json") == load_case(folder / "tenant.expected.json")
    assert load_case(folder / "tenant") == load_case(folder / "tenant.expected.json")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"as_of": None}, "as_of is missing or no date-time"),
        ({"as_of": "noon"}, "as_of is missing or no date-time"),
        ({"as_of": "2026-01-01T00:00:00"}, "as_of has no zone"),
        ({"settings": []}, "settings is no object"),
        ({"setings": {}}, "the key 'setings' is not known"),
    ],
)
def test_an_expected_file_that_does_not_say_what_it_must_is_refused(
    tenant: Case, keys: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        change(tenant, **keys)


@pytest.mark.parametrize("text", ["", "[]", "{"])
def test_an_expected_file_that_is_no_json_object_is_refused(tenant: Case, text: str) -> None:
    tenant.expected.write_text(text)

    with pytest.raises(SettingsError, match=r"tenant.expected.json: (no JSON|expected an object)"):
        load_case(tenant.har)


def test_a_file_that_is_missing_is_named(tenant: Case) -> None:
    tenant.expected.unlink()
    with pytest.raises(SettingsError, match=r"there is no tenant.expected.json beside the recording"):
        load_case(tenant.har)
    tenant.har.unlink()
    with pytest.raises(SettingsError, match=r"there is no recording tenant.har.json"):
        load_case(tenant.har)


def test_a_folder_without_cases_says_so(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no recording"):
        find_cases(tmp_path)
