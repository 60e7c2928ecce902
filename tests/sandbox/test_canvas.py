"""The sandbox speaks Canvas's REST API: bookmarks in Link headers, states and types, module progress."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from rollbook.sandbox import Quota, app
from rollbook.sandbox.canvas import Canvas

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Client

STATES = ("active", "invited", "creation_pending", "inactive", "completed", "rejected", "deleted")
ALL_STATES = "&".join(f"state[]={state}" for state in STATES)
COURSES = "/api/v1/accounts/self/courses?per_page=100"


def enrollments_of(canvas: Client, query: str = ALL_STATES) -> list[dict[str, Any]]:
    """Give the enrollments of all courses."""
    return [
        row
        for course in canvas.json(COURSES)
        for row in canvas.every(f"/api/v1/courses/{course['id']}/enrollments?per_page=100&{query}")
    ]


def test_a_wrong_token_and_none_are_told_apart(canvas: Client) -> None:
    wrong = canvas.get(COURSES, headers={"Authorization": "Bearer nonsense"})
    none = canvas.get(COURSES, headers={})

    assert (wrong.status_code, none.status_code) == (401, 401)
    assert wrong.json() == {"errors": [{"message": "Invalid access token."}]}
    assert none.json()["status"] == "unauthenticated"
    assert wrong.headers["WWW-Authenticate"] == none.headers["WWW-Authenticate"] == 'Bearer realm="canvas-lms"'


def test_every_answer_tells_its_cost_and_what_is_left(canvas: Client) -> None:
    for path in (COURSES, "/api/v1/nothing"):
        headers = canvas.get(path).headers
        assert float(headers["X-Request-Cost"]) > 0
        assert 0 < float(headers["X-Rate-Limit-Remaining"]) <= 600


def test_courses_come_in_pages_of_ten_and_never_more_than_a_hundred(client: Callable[..., Client]) -> None:
    from rollbook.sandbox import Tenant

    canvas = client("canvas", tenant=Tenant(size=150, courses=200))

    assert len(canvas.json("/api/v1/accounts/1/courses")) == 10
    assert len(canvas.json("/api/v1/accounts/1/courses?per_page=500")) == 100
    everything = canvas.every("/api/v1/accounts/1/courses?per_page=7&state[]=all")
    assert [course["id"] for course in everything] == list(range(11, 211))


def test_course_states_follow_the_filter(canvas: Client) -> None:
    def states(query: str) -> set[str]:
        return {course["workflow_state"] for course in canvas.json(f"{COURSES}&{query}")}

    canvas.tenant.delete_course(16)

    assert states("") == {"available", "completed"}
    assert states("state[]=completed") == {"completed"}
    assert states("state[]=all") == {"available", "completed", "deleted"}
    assert states("state[]=nonsense") == set()


def test_an_unpublished_course_is_created_or_claimed_to_the_filter(canvas: Client) -> None:
    for state in ("created", "claimed"):
        found = canvas.json(f"{COURSES}&state[]={state}")
        assert [course["workflow_state"] for course in found] == ["unpublished"]


def test_term_and_concluded_only_come_when_asked_for(canvas: Client) -> None:
    bare = canvas.json(COURSES)[3]
    full = canvas.json(f"{COURSES}&include[]=term&include[]=concluded")[3]

    assert {"term", "concluded"}.isdisjoint(bare)
    assert full["term"]["name"] == "Autumn & Winter"
    assert full["concluded"] is True
    assert full == canvas.json("/api/v1/courses/14?include[]=term&include[]=concluded")


def test_a_course_over_by_its_dates_is_concluded_while_its_states_do_not_move(canvas: Client) -> None:
    course = canvas.json("/api/v1/courses/15?include[]=concluded")
    found = canvas.every("/api/v1/courses/15/enrollments?state[]=active")

    assert (course["workflow_state"], course["concluded"]) == ("available", True)
    assert found


def test_courses_without_such_enrollments_can_be_left_out(canvas: Client) -> None:
    with_students = canvas.json(f"{COURSES}&with_enrollments=true&enrollment_type[]=student")
    with_observers = canvas.json(f"{COURSES}&with_enrollments=true&enrollment_type[]=observer")

    assert len(with_students) == 6
    assert 0 < len(with_observers) < 6


def test_all_seven_states_and_all_six_types_occur(canvas: Client) -> None:
    found = enrollments_of(canvas)

    assert {row["enrollment_state"] for row in found} == set(STATES)
    assert {row["type"] for row in found} == {
        "StudentEnrollment",
        "TeacherEnrollment",
        "TaEnrollment",
        "DesignerEnrollment",
        "ObserverEnrollment",
        "StudentViewEnrollment",
    }


def test_without_a_filter_an_admin_sees_the_inactive_but_not_the_ended(canvas: Client) -> None:
    seen = {row["enrollment_state"] for row in enrollments_of(canvas, "")}

    assert seen == {"active", "invited", "creation_pending", "inactive"}


def test_types_states_and_user_filter_the_enrollments(canvas: Client) -> None:
    everything = canvas.every(f"/api/v1/courses/11/enrollments?{ALL_STATES}")
    some = everything[3]
    states = f"state[]={some['enrollment_state']}"

    preview = canvas.json("/api/v1/courses/11/enrollments?type[]=StudentViewEnrollment")

    assert [row["user"]["name"] for row in preview] == ["Test Student"]
    assert some in canvas.json(f"/api/v1/courses/11/enrollments?{states}&user_id={some['user_id']}")
    assert canvas.json("/api/v1/courses/11/enrollments?state[]=nonsense") == []


def test_pages_join_to_the_whole_list_by_bookmarks(canvas: Client) -> None:
    path = f"/api/v1/courses/12/enrollments?{ALL_STATES}"
    first = canvas.get(f"{path}&per_page=4")

    assert set(first.links) == {"current", "first", "next"}
    assert first.links["next"]["url"].startswith("http://sandbox.test/api/v1/courses/12/enrollments?state%5B%5D=active")
    assert "page=bookmark:" in first.links["next"]["url"]
    assert len(first.json()) == 4
    assert canvas.every(f"{path}&per_page=4") == canvas.json(f"{path}&per_page=100")


def test_an_unreadable_bookmark_is_the_first_page(canvas: Client) -> None:
    for bookmark in ("bookmark:", "bookmark:!", "bookmark:WyJ4Il0", "bookmark:e30", "first"):
        found = canvas.json(f"/api/v1/courses/12/enrollments?page={bookmark}")
        assert found == canvas.json("/api/v1/courses/12/enrollments"), bookmark


def test_an_email_comes_only_when_asked_for(canvas: Client) -> None:
    bare = canvas.json("/api/v1/courses/12/enrollments")
    full = canvas.json("/api/v1/courses/12/enrollments?include[]=email")

    assert all("email" not in row["user"] for row in bare)
    assert all(str(row["user"]["email"]).endswith("@example.com") or row["user"]["email"] is None for row in full)


def test_names_are_sent_as_they_are_and_one_has_no_last_name(canvas: Client) -> None:
    titles = {course["name"] for course in canvas.json(COURSES)}

    assert {"Health & Safety", "Data Protection — GDPR <essentials>"} <= titles


def test_ids_of_guests_are_beyond_what_a_float_holds(canvas: Client) -> None:
    ids = {row["user_id"] for row in enrollments_of(canvas)}

    big = [each for each in ids if each > 2**53]

    assert big
    assert canvas.json(f"/api/v1/users/{big[0]}")["id"] == big[0]


def test_only_student_enrollments_bear_grades_and_the_suspended_ones_are_bare(canvas: Client) -> None:
    found = enrollments_of(canvas)

    assert {row["type"] for row in found if "grades" in row} == {"StudentEnrollment", "StudentViewEnrollment"}
    assert {tuple(row["grades"]) for row in found if row["enrollment_state"] == "inactive"} == {("html_url",)}
    newcomers = [row for row in found if row["enrollment_state"] == "invited"]
    assert {(row["grades"]["current_score"], row["grades"]["final_score"]) for row in newcomers} == {(None, 0.0)}


def test_some_learner_is_twice_in_a_course_with_one_progress(canvas: Client) -> None:
    pairs = Counter((row["course_id"], row["user_id"]) for row in enrollments_of(canvas, "state[]=active"))
    course, user = next(pair for pair, count in pairs.items() if count > 1)

    bulk = [row["id"] for row in canvas.every(f"/api/v1/courses/{course}/bulk_user_progress?per_page=3")]

    assert bulk.count(user) == 1


def test_one_enrollment_is_rendered_without_its_user(canvas: Client) -> None:
    listed = canvas.json("/api/v1/courses/12/enrollments")[0]

    alone = canvas.json(f"/api/v1/accounts/self/enrollments/{listed['id']}")

    listed.pop("user")
    assert alone == listed


def test_a_course_without_modules_answers_400_to_both_questions_for_progress(canvas: Client) -> None:
    for path in ("bulk_user_progress", "users/102/progress"):
        answer = canvas.get(f"/api/v1/courses/13/{path}")
        assert answer.status_code == 400
        assert "not module based" in answer.json()["error"]["message"]


def test_bulk_progress_has_the_current_learners_and_nobody_else(canvas: Client) -> None:
    for course in (11, 12, 14, 15, 16):
        current = "&".join(f"state[]={state}" for state in ("active", "invited", "creation_pending"))
        learners = canvas.every(f"/api/v1/courses/{course}/enrollments?type[]=StudentEnrollment&{current}")
        bulk = canvas.every(f"/api/v1/courses/{course}/bulk_user_progress?per_page=2")

        assert sorted(row["id"] for row in bulk) == sorted({row["user_id"] for row in learners})


def test_concluded_learners_can_be_asked_for_one_by_one(canvas: Client) -> None:
    concluded = canvas.json("/api/v1/courses/14/enrollments?state[]=completed&per_page=100")

    found = [canvas.json(f"/api/v1/courses/14/users/{row['user_id']}/progress") for row in concluded]

    assert {one["completed_at"] is None for one in found} == {True, False}
    assert all((one["completed_at"] is None) == (one["requirement_completed_count"] < 5) for one in found)


def test_progress_of_somebody_who_does_not_learn_there_is_an_error(canvas: Client) -> None:
    teacher = canvas.json("/api/v1/courses/11/enrollments?type[]=TeacherEnrollment")[0]

    answer = canvas.get(f"/api/v1/courses/11/users/{teacher['user_id']}/progress")

    assert answer.status_code == 400
    assert "not enrolled as a student" in answer.json()["error"]["message"]


def test_removed_learners_stay_as_deleted_and_those_of_deleted_people_too(canvas: Client) -> None:
    tenant = canvas.tenant
    one, other = tenant.enrol(103, 11), tenant.enrol(104, 11)

    tenant.remove(one.id)
    tenant.delete_person(104)

    for each in (one.id, other.id):
        assert canvas.json(f"/api/v1/accounts/1/enrollments/{each}")["enrollment_state"] == "deleted"
    active = canvas.every("/api/v1/courses/11/enrollments?state[]=active")
    assert {one.id, other.id}.isdisjoint(row["id"] for row in active)


def test_a_deleted_course_takes_its_enrollments_with_it(canvas: Client) -> None:
    canvas.tenant.delete_course(12)

    assert canvas.get("/api/v1/courses/12").status_code == 404
    assert canvas.get("/api/v1/courses/12/bulk_user_progress").status_code == 404
    rows = canvas.every(f"/api/v1/courses/12/enrollments?{ALL_STATES}")
    assert {row["enrollment_state"] for row in rows} == {"deleted"}


@pytest.mark.parametrize(
    "path",
    ["accounts/7/courses", "courses/999", "courses/999/enrollments", "accounts/1/enrollments/1", "users/9", "tabs", ""],
)
def test_what_is_not_there_is_said_in_the_shape_of_canvas(canvas: Client, path: str) -> None:
    answer = canvas.get(f"/api/v1/{path}")

    assert answer.status_code == 404
    assert answer.json() == {"errors": [{"message": "The specified resource does not exist."}]}


def test_the_token_belongs_to_somebody(canvas: Client) -> None:
    assert canvas.json("/api/v1/users/self")["id"] == 101


def test_beyond_the_quota_comes_403_as_plain_text(client: Callable[..., Client]) -> None:
    canvas = client("canvas", quota=Quota(1, 60))
    canvas.json(COURSES)

    answer = canvas.get(COURSES)

    assert (answer.status_code, answer.text) == (403, "403 Forbidden (Rate Limit Exceeded)")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert float(answer.headers["X-Rate-Limit-Remaining"]) == 0
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_a_developer_key_is_given_tokens_for_an_hour_by_a_refresh_token_that_stays() -> None:
    now = 1_000.0
    lms = app("canvas", quota=Quota(100, 10, clock=lambda: now))
    assert isinstance(lms.vendor, Canvas)
    wanted = lms.vendor.developer_key("")
    form = {"grant_type": "refresh_token", **{name: wanted[name] for name in ("client_id", "client_secret")}}

    def token(refresh: str, **more: str) -> httpx.Response:
        return asyncio.run(ask("POST", "/login/oauth2/token", data={**form, "refresh_token": refresh, **more}))

    def status(token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return asyncio.run(ask("GET", "/api/v1/accounts/self/courses", headers=headers)).status_code

    async def ask(method: str, path: str, **options: Any) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(lms), base_url="http://lms") as client:
            return await client.request(method, path, **options)

    given = token(wanted["refresh_token"]).json()
    assert {**given, "access_token": "..."} == {
        "access_token": "...",
        "token_type": "Bearer",
        "user": {"id": 1, "name": "Admin"},
        "expires_in": 3_600,
    }
    assert status(given["access_token"]) == 200
    now = 4_600.0
    assert status(given["access_token"]) == 401
    again = token(wanted["refresh_token"]).json()["access_token"]
    assert status(again) == 200
    lms.vendor.revoke()
    assert status(again) == 401
    assert token("stale").json() == {"error": "invalid_grant"}
    assert token(wanted["refresh_token"], client_secret="wrong").json() == {"error": "invalid_client"}
