"""The sandbox speaks TalentLMS v1: paths with arguments, everything as text, its error bodies."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from rollbook.sandbox import Quota

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from .conftest import Client


def rows_of(talentlms: Client) -> list[dict[str, Any]]:
    """Give every course row of every user that can be asked for."""
    users = [talentlms.get(f"/api/v1/users/id:{user['id']}") for user in talentlms.json("/api/v1/users")]
    return [row for user in users if user.status_code == 200 for row in user.json()["courses"]]


def message(answer: httpx.Response) -> str:
    return answer.json()["error"]["message"]


@pytest.mark.parametrize("auth", [None, ("wrong", ""), ("sandbox-key-that-opens-nothing-else", "password")])
def test_only_the_key_without_a_password_opens(talentlms: Client, auth: tuple[str, str] | None) -> None:
    answer = talentlms.get("/api/v1/users", auth=auth)

    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_users_are_listed_whole_without_paging_and_without_courses(talentlms: Client) -> None:
    users = talentlms.json("/api/v1/users")

    assert len(users) == 25
    assert all("courses" not in user for user in users)
    assert {user["status"] for user in users} == {"active", "inactive"}


def test_pages_of_users_join_to_the_whole_list_and_end_empty(talentlms: Client) -> None:
    pages = [talentlms.json(f"/api/v1/users/page_size:10,page_number:{number}") for number in (1, 2, 3, 4)]

    assert [len(page) for page in pages] == [10, 10, 5, 0]
    assert [user for page in pages for user in page] == talentlms.json("/api/v1/users")


def test_first_page_is_the_default_and_nonsense_is_refused(talentlms: Client) -> None:
    assert talentlms.json("/api/v1/users/page_size:3") == talentlms.json("/api/v1/users/page_size:3,page_number:1")
    for arguments in ("page_size:x", "page_size:0", "page_number:1", "colour:red"):
        assert talentlms.get(f"/api/v1/users/{arguments}").status_code == 400, arguments


def test_a_user_is_found_by_id_email_and_login(talentlms: Client) -> None:
    user = talentlms.json("/api/v1/users/id:102")

    assert talentlms.json(f"/api/v1/users/email:{user['email']}") == user
    assert talentlms.json(f"/api/v1/users/username:{user['login']}") == user
    assert talentlms.get("/api/v1/users/username:nobody102").status_code == 404


def test_a_user_deleted_during_the_walk_is_listed_but_not_found(talentlms: Client) -> None:
    listed = [user["id"] for user in talentlms.json("/api/v1/users")]

    gone = [each for each in listed if talentlms.get(f"/api/v1/users/id:{each}").status_code == 404]

    assert gone == ["108"]
    assert message(talentlms.get("/api/v1/users/id:108")) == "The requested user does not exist"
    courses = [talentlms.json(f"/api/v1/courses/id:{course['id']}") for course in talentlms.json("/api/v1/courses")]
    assert all(user["id"] != "108" for course in courses for user in course["users"])


def test_scalars_are_text_but_for_seconds_and_certificates(talentlms: Client) -> None:
    for row in rows_of(talentlms):
        numbers = {name for name, value in row.items() if isinstance(value, (int, float))}
        assert numbers <= {"total_time_seconds"}
    for certificate in talentlms.json("/api/v1/users/id:102")["certifications"]:
        assert isinstance(certificate["issued_date_timestamp"], int)


def test_every_documented_status_occurs_and_the_inferred_one(talentlms: Client) -> None:
    statuses = {row["completion_status"] for row in rows_of(talentlms)}

    assert statuses == {"not_attempted", "incomplete", "completed", "failed"}


def test_empty_is_sometimes_a_text_and_sometimes_null(talentlms: Client) -> None:
    rows = rows_of(talentlms)

    assert {row["completed_on_timestamp"] for row in rows if row["completion_status"] != "completed"} == {"", None}
    assert any("completion_status_formatted" not in row for row in rows)


def test_opened_but_nothing_done_is_incomplete_with_no_percent(talentlms: Client) -> None:
    opened = [row for row in rows_of(talentlms) if row["completion_percentage"] == "0" and row["total_time_seconds"]]

    assert "incomplete" in {row["completion_status"] for row in opened if row["role"] == "learner"}


def test_access_ended_and_access_that_will_end_both_occur(talentlms: Client) -> None:
    now = talentlms.tenant.as_of.timestamp()

    ends = [int(row["expired_on_timestamp"]) for row in rows_of(talentlms) if row["expired_on_timestamp"]]

    assert min(ends) < now < max(ends)


def test_certificates_lapsed_valid_and_for_ever_occur(talentlms: Client) -> None:
    now = talentlms.tenant.as_of.timestamp()
    users = [talentlms.get(f"/api/v1/users/id:{each}") for each in talentlms.tenant.person_ids]
    ends = [
        certificate["expiration_date_timestamp"]
        for user in users
        if user.status_code == 200
        for certificate in user.json()["certifications"]
    ]

    assert 0 in ends
    assert any(0 < end < now for end in ends)
    assert any(end > now for end in ends)


def test_readable_times_are_local_with_summer_time_and_agree_with_the_timestamps(talentlms: Client) -> None:
    offsets: set[float] = set()
    for row in rows_of(talentlms):
        local = datetime.strptime(row["enrolled_on"], "%d/%m/%Y, %H:%M:%S")  # noqa: DTZ007 - local on purpose
        zoned = datetime.fromtimestamp(int(row["enrolled_on_timestamp"]), ZoneInfo("Europe/Athens"))

        assert local == zoned.replace(tzinfo=None)
        offset = zoned.utcoffset()
        assert offset is not None
        offsets.add(offset.total_seconds() / 3600)
    assert offsets == {2, 3}


def test_course_names_carry_entities_and_the_names_of_people_do_not(talentlms: Client) -> None:
    names = [course["name"] for course in talentlms.json("/api/v1/courses")]

    assert "Health &amp; Safety" in names
    assert any(user["last_name"] == "Smith & <Sons>" for user in talentlms.json("/api/v1/users"))


def test_every_user_object_bears_a_login_key(talentlms: Client) -> None:
    keys = [user["login_key"] for user in talentlms.json("/api/v1/users")]

    assert len(set(keys)) == 25
    assert all("/autologin/key:" in key for key in keys)


def test_a_course_lists_short_names_and_no_status_and_agrees_with_the_users(talentlms: Client) -> None:
    page = talentlms.json("/api/v1/courses/id:12")
    row = next(row for row in page["users"] if row["id"] == "102")
    seen = next(row for row in talentlms.json("/api/v1/users/id:102")["courses"] if row["id"] == "12")

    assert row["name"] == "J. d'Ávila"
    assert "completion_status" not in row
    assert "email" not in row
    assert {name: seen[name] for name in row if name not in {"id", "name"}} == {
        name: value for name, value in row.items() if name not in {"id", "name"}
    }


def test_one_learner_is_in_a_course_once_whatever_the_sections(talentlms: Client) -> None:
    for course in talentlms.json("/api/v1/courses"):
        ids = [row["id"] for row in talentlms.json(f"/api/v1/courses/id:{course['id']}")["users"]]
        assert len(ids) == len(set(ids))


def test_instructors_are_among_the_enrolled(talentlms: Client) -> None:
    assert {row["role"] for row in rows_of(talentlms)} == {"learner", "instructor"}


def test_status_in_a_course_takes_its_arguments_in_any_order_and_answers_with_a_label(talentlms: Client) -> None:
    answer = talentlms.json("/api/v1/getuserstatusincourse/course_id:12,user_id:102")

    assert answer == talentlms.json("/api/v1/getuserstatusincourse/user_id:102,course_id:12")
    assert answer["completion_status"] in {"Completed", "In progress", "Not Started", "Not passed"}
    assert answer["units"]
    assert "id" not in answer


def test_the_right_thing_is_said_to_be_missing(talentlms: Client) -> None:
    expected = {
        "/api/v1/courses/id:999": "The requested course does not exist",
        "/api/v1/users/id:999": "The requested user does not exist",
        f"/api/v1/users/id:{'9' * 5000}": "The requested user does not exist",
        "/api/v1/getuserstatusincourse/course_id:14,user_id:102": "The requested user is not enrolled in this course",
        "/api/v1/enrollments": "The requested API action does not exist",
        "/": "The requested API action does not exist",
    }

    answers = {path: talentlms.get(path) for path in expected}

    assert {path: message(answer) for path, answer in answers.items()} == expected
    assert {answer.status_code for answer in answers.values()} == {404}


def test_removed_learners_and_deleted_courses_and_people_leave_no_trace(talentlms: Client) -> None:
    tenant = talentlms.tenant
    one = tenant.enrol(103, 11)
    assert "11" in [row["id"] for row in talentlms.json("/api/v1/users/id:103")["courses"]]

    tenant.remove(one.id)

    assert "11" not in [row["id"] for row in talentlms.json("/api/v1/users/id:103")["courses"]]
    tenant.delete_course(12)
    assert "12" not in [course["id"] for course in talentlms.json("/api/v1/courses")]
    assert talentlms.get("/api/v1/courses/id:12").status_code == 404
    tenant.delete_person(103)
    assert "103" not in [user["id"] for user in talentlms.json("/api/v1/users")]
    assert talentlms.get("/api/v1/users/id:103").status_code == 404


def test_asking_for_the_quota_uses_none_of_it(client: Callable[..., Client]) -> None:
    talentlms = client("talentlms", quota=Quota(2, 3600, clock=lambda: 1_000.0))
    talentlms.json("/api/v1/users")

    said = [talentlms.json("/api/v1/ratelimit") for _ in range(3)]

    assert said[0] == said[2]
    assert said[0] == {"limit": "2", "remaining": "1", "reset": "4600", "formatted_reset": "01/01/1970, 03:16"}


def test_beyond_the_quota_comes_429_without_retry_after(client: Callable[..., Client]) -> None:
    talentlms = client("talentlms", quota=Quota(2, 3600))

    answers = [talentlms.get("/api/v1/courses") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert "retry-after" not in answers[-1].headers
    assert talentlms.get("/api/v1/ratelimit").status_code == 200


def test_site_info_tells_the_date_format(talentlms: Client) -> None:
    info = talentlms.json("/api/v1/siteinfo")

    assert (info["date_format"], info["total_users"], info["total_courses"]) == ("DDMMYYYY", "25", "6")
