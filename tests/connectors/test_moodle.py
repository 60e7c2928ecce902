"""Moodle: its requests, its errors, its statuses."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from rollbook.connectors.moodle import Moodle, MoodleSettings
from rollbook.core.api import connect
from rollbook.core.connection import open_connection
from rollbook.core.errors import AuthError, ContractError, Forbidden, Gone, RollbookError, VendorError
from rollbook.core.http import Act, Answer
from rollbook.core.mapping import Mapped, Skipped
from rollbook.core.testing import load_case
from rollbook.core.testing.conformance import conformance_tests

FIXTURES = Path(__file__).parent.parent / "fixtures" / "moodle"
TENANT = load_case(FIXTURES / "tenant.har.json")
AS_OF = TENANT.as_of
SITE = dict(TENANT.settings)


TestConformance = conformance_tests("moodle", fixtures="../fixtures/moodle")


@pytest.mark.parametrize("id", ["2:11", "2:16", "3:12"])
def test_a_single_enrollment_is_the_same_as_in_the_whole(id: str) -> None:
    whole = Recorded()
    with connect("moodle", clock=lambda: AS_OF, transport=whole.transport, **SITE) as lms:
        one = lms.enrollment(id).model_dump(mode="json")

    assert next(each for each in TENANT.enrollments if each["id"] == id) == one


@pytest.mark.parametrize("id", ["2:99", "1:11", "x", "77:11"])
def test_an_enrollment_that_is_not_there_is_gone(id: str) -> None:
    with connect("moodle", transport=Recorded().transport, **SITE) as lms, pytest.raises(Gone):
        lms.enrollment(id)


def test_a_read_taken_up_at_any_cursor_gives_what_is_left() -> None:
    async def read() -> None:
        opened = open_connection("m", "moodle", SITE, transport=Recorded().transport)
        async with opened as connection:
            [partition] = [one async for one in connection.connector.partitions() if one.key == "course:2"]
            pages = [page async for page in connection.connector.pages(partition, None, None)]
            for number, page in enumerate(pages[:-1]):
                rest = [one async for one in connection.connector.pages(partition, page.cursor, None)]

                assert pages[number + 1 :] == rest

    asyncio.run(read())


def test_a_moodle_that_does_not_know_onlysuspended_gives_nobody_twice() -> None:
    """It ignores the option and lists everybody: who is active stays active."""
    with connect("moodle", transport=Recorded(ignore_option=True).transport, **SITE) as lms:
        found = {one.id: one.status for one in lms.enrollments() if one.course.id == "2"}

    assert lms.findings.duplicates == 0
    assert found["2:11"] == "completed"
    assert found["2:16"] == "withdrawn"


def test_switched_off_grades_and_dates_are_not_asked_for() -> None:
    whole = Recorded()
    settings: dict[str, Any] = SITE | {"fetch_grades": False, "fetch_completion_dates": False}
    with connect("moodle", transport=whole.transport, **settings) as lms:
        one = next(one for one in lms.enrollments() if one.id == "2:11")

    assert (one.status, one.score, one.completed_at) == ("completed", None, None)
    assert set(whole.asked) == {
        "core_course_get_courses_by_field",
        "core_enrol_get_enrolled_users",
        "core_enrol_get_users_courses",
    }


def test_a_learner_who_vanished_during_the_walk_is_joined_to_nothing() -> None:
    body = {"exception": "moodle_exception", "errorcode": "invaliduser", "message": "Invalid user"}

    async def read() -> None:
        opened = open_connection("m", "moodle", SITE, transport=says(body))
        async with opened as connection:
            assert [some async for some in connection.connector.load("user_courses", ["7"])] == []

    asyncio.run(read())


def test_each_learner_is_asked_about_once_for_all_courses() -> None:
    whole = Recorded()
    with connect("moodle", transport=whole.transport, **SITE) as lms:
        rows = list(lms.enrollments())

    assert whole.asked.count("core_enrol_get_users_courses") < len(rows)
    assert whole.asked.count("core_enrol_get_users_courses") == 11


def test_progress_in_one_course_is_not_stored_with_the_others() -> None:
    """Else each lesson would have all courses of the learner mapped and written again."""
    for one in TENANT.enrollments:
        found = one["remote_data"]["user_course"]
        assert found is None or str(found["id"]) == one["course"]["id"]


# -- errors -----------------------------------------------------------------------------------------------------------


def answer(body: str, status: int = 200, kind: str = "application/json") -> Answer:
    return Answer(status, httpx.Headers({"content-type": kind}), body.encode(), "POST /server.php", "")


def error(code: str, message: str = "") -> Answer:
    return answer(json.dumps({"exception": "moodle_exception", "errorcode": code, "message": message}))


@pytest.mark.parametrize(
    ("code", "act", "kind"),
    [
        ("invalidtoken", Act.REAUTH, VendorError),
        ("accessexception", Act.FAIL, Forbidden),
        ("requireloginerror", Act.FAIL, Forbidden),
        ("errorcoursecontextnotvalid", Act.FAIL, Forbidden),
        ("nopermissions", Act.FAIL, Forbidden),
        ("nopermissiontoviewgrades", Act.FAIL, Forbidden),
        ("invalidrecord", Act.FAIL, Gone),
        ("invalidrecordunknown", Act.FAIL, Gone),
        ("dbconnectionfailed", Act.RETRY, VendorError),
        ("upgraderunning", Act.RETRY, VendorError),
        ("codingerror", Act.FAIL, ContractError),
        ("nocriteriaset", Act.ACCEPT, VendorError),
        ("usernotenroled", Act.ACCEPT, VendorError),
        ("cannotviewreport", Act.ACCEPT, VendorError),
    ],
)
def test_an_error_with_200_is_read_by_its_code(code: str, act: Act, kind: type[RollbookError]) -> None:
    verdict = Moodle.verdict(error(code))

    assert verdict is not None
    assert (act, kind) == (verdict.act, verdict.error)


def test_a_function_that_this_version_lacks_is_no_vanished_course() -> None:
    verdict = Moodle.verdict(error("invalidrecord", "Can't find data record in database table external_functions."))

    assert verdict is not None
    assert verdict.error is ContractError


def test_rest_switched_off_says_where_to_switch_it_on() -> None:
    verdict = Moodle.verdict(answer("", 403, "text/html"))

    assert verdict is not None
    assert verdict.error is AuthError
    assert "REST protocol" in verdict.hint


@pytest.mark.parametrize("body", ["[]", "null", '{"courses": []}'])
def test_data_is_no_error(body: str) -> None:
    assert Moodle.verdict(answer(body)) is None


def test_maintenance_is_left_to_the_usual_reading_which_asks_again() -> None:
    assert Moodle.verdict(answer("<html>", 503, "text/html")) is None


def test_a_redirect_says_that_the_base_url_is_wrong() -> None:
    def elsewhere(request: httpx.Request) -> httpx.Response:
        return httpx.Response(303, headers={"location": "https://www.example.com/"})

    transport = httpx.MockTransport(elsewhere)
    with connect("moodle", transport=transport, **SITE) as lms, pytest.raises(ContractError, match="base_url is wrong"):
        lms.check()


# -- check ------------------------------------------------------------------------------------------------------------

EVERY = [
    "core_course_get_courses_by_field",
    "core_enrol_get_enrolled_users",
    "core_enrol_get_users_courses",
    "gradereport_user_get_grade_items",
    "core_completion_get_course_completion_status",
]


def says(body: dict[str, Any]) -> httpx.MockTransport:
    return httpx.MockTransport(lambda _: httpx.Response(200, json=body))


def test_a_check_finds_nothing_wrong_with_a_complete_service() -> None:
    body = {"functions": [{"name": name, "version": "2023100900"} for name in EVERY]}
    with connect("moodle", transport=says(body), **SITE) as lms:
        assert list(lms.check()) == []


@pytest.mark.parametrize("missing", EVERY)
def test_a_check_names_the_function_that_the_service_lacks(missing: str) -> None:
    body = {"functions": [{"name": name} for name in EVERY if name != missing], "userprivateaccesskey": "s3cr3t-key"}
    with connect("moodle", transport=says(body), **SITE) as lms:
        [notice] = lms.check()

    assert missing in notice.text
    assert notice.level == "missing"
    assert "s3cr3t-key" not in notice.text


@pytest.mark.parametrize("code", ["invalidtoken", "accessexception"])
def test_a_token_that_is_refused_is_an_auth_error_without_the_token(code: str) -> None:
    """An expired token says accessexception first, and invalidtoken from then on."""
    body = {"exception": "moodle_exception", "errorcode": code, "message": "Access control exception"}
    with connect("moodle", transport=says(body), **SITE) as lms, pytest.raises(AuthError) as raised:
        lms.check()

    assert code in str(raised.value)
    assert "made-up-token" not in str(raised.value)


def test_the_token_is_a_secret() -> None:
    assert "token" not in MoodleSettings(base_url="https://m.example.com", token="made-up-token").public()  # pyright: ignore[reportArgumentType] - as from a file


# -- mapping ----------------------------------------------------------------------------------------------------------


def mapped(*, settings: dict[str, Any] | None = None, **record: Any) -> Mapped | Skipped:
    """Map a record with these parts in place of the usual ones."""
    course: dict[str, Any] = {"id": 2, "fullname": "Knots", "enablecompletion": 1, "visible": 1}
    parts: dict[str, Any] = {"user": student(), "active": True, "course": course, "grade": None}
    parts |= {"user_course": None, "completion": None} | record
    normalizer = open_connection("m", "moodle", SITE | (settings or {})).normalizer
    result = normalizer.normalize(parts, as_of=AS_OF)
    assert isinstance(result, (Mapped, Skipped))
    return result


def enrollment(**record: Any) -> Any:
    result = mapped(**record)
    assert isinstance(result, Mapped)
    return result.enrollment


def student(*roles: str, **more: Any) -> dict[str, Any]:
    return {"id": 7, "fullname": "Nora Quill", "roles": [{"shortname": role} for role in roles or ("student",)]} | more


def in_course(**course: Any) -> dict[str, Any]:
    return {"id": 2} | course


@pytest.mark.parametrize(
    ("record", "status"),
    [
        ({}, "enrolled"),
        ({"user_course": in_course(completed=False, progress=0, lastaccess=None)}, "enrolled"),
        ({"user_course": in_course(completed=False, progress=5)}, "in_progress"),
        ({"user_course": in_course(completed=False, progress=None, lastaccess=1768300000)}, "in_progress"),
        ({"user": student(lastcourseaccess=1768300000)}, "in_progress"),
        ({"user": student(lastcourseaccess=0)}, "enrolled"),
        ({"user_course": in_course(completed=True, progress=50)}, "completed"),
        ({"user_course": in_course(completed=False, progress=100)}, "in_progress"),
        ({"user_course": in_course(completed=None, progress=None)}, "enrolled"),
        ({"completion": {"completionstatus": {"completed": True, "aggregation": 1}}}, "completed"),
        ({"active": False}, "withdrawn"),
        ({"active": False, "user": student(lastcourseaccess=1768300000)}, "withdrawn"),
    ],
)
def test_the_status_follows_the_flags(record: dict[str, Any], status: str) -> None:
    """`completed`, never progress 100; only known as not active: `withdrawn`."""
    assert status == enrollment(**record).status


@pytest.mark.parametrize(
    ("access", "status"),
    [({}, "enrolled"), ({"lastaccess": 1699000000}, "in_progress"), ({"completed": True}, "completed")],
)
def test_the_end_date_of_a_course_closes_nothing(access: dict[str, Any], status: str) -> None:
    found = enrollment(course={"id": 2, "enddate": 1700000000}, user_course=in_course(**access))

    assert status == found.status
    assert found.due_at is None
    assert found.custom_fields["course_ends_at"] == "2023-11-14T22:13:20Z"


@pytest.mark.parametrize(("aggregation", "day"), [(1, 12), (2, 10)])
def test_all_criteria_complete_with_the_last_and_any_with_the_first(aggregation: int, day: int) -> None:
    done = [datetime(2026, 1, one, tzinfo=UTC).timestamp() for one in (12, 10)]
    criteria: list[dict[str, Any]] = [{"complete": True, "timecompleted": int(time)} for time in done]
    criteria.append({"complete": False, "timecompleted": None})
    status = {"completed": True, "aggregation": aggregation, "completions": criteria}
    found = enrollment(completion={"id": "2:7", "completionstatus": status})

    assert datetime(2026, 1, day, tzinfo=UTC) == found.completed_at


@pytest.mark.parametrize(
    ("grade", "score"),
    [
        ({"graderaw": 54, "grademin": 0, "grademax": 120}, 45.0),
        ({"graderaw": 15, "grademin": 10, "grademax": 20}, 50.0),
        ({"graderaw": 0, "grademin": 0, "grademax": 100}, 0.0),
        ({"graderaw": None, "grademin": 0, "grademax": 100}, None),
        ({"graderaw": 5, "grademin": 0, "grademax": 0}, None),
        (None, None),
    ],
)
def test_the_score_is_the_course_total_in_percent(grade: dict[str, Any] | None, score: float | None) -> None:
    assert score == enrollment(grade=grade).score


@pytest.mark.parametrize("role", ["teacher", "editingteacher", "manager", "coursecreator"])
def test_staff_is_left_out_unless_it_is_asked_for(role: str) -> None:
    assert mapped(user=student(role)) == Skipped("staff", "2:7")
    assert isinstance(mapped(user=student(role), settings={"include_staff": True}), Mapped)
    assert isinstance(mapped(user=student(role), settings={"student_role_shortnames": [role]}), Mapped)
    assert isinstance(mapped(user=student(role, "student")), Mapped)


@pytest.mark.parametrize(
    ("user", "drift"),
    [
        (student(), []),
        (student("mentor"), ["mentor"]),
        (student("mentor", "student"), []),
        (student("teacher", "mentor"), ["mentor"]),
        ({"id": 7, "fullname": "Nora Quill", "roles": []}, ["(missing)"]),
    ],
)
def test_unknown_and_missing_roles_stay_in_and_are_drift(user: dict[str, Any], drift: list[str]) -> None:
    result = mapped(user=user)
    assert isinstance(result, Mapped)

    assert drift == [one.value for one in result.drift]


def test_a_role_that_was_declared_a_students_is_no_drift() -> None:
    result = mapped(user=student("apprentice"), settings={"student_role_shortnames": ["student", "apprentice"]})
    assert isinstance(result, Mapped)

    assert result.drift == ()


def test_a_learner_without_a_role_is_flagged() -> None:
    assert enrollment(user={"id": 7, "fullname": "Nora Quill", "roles": []}).custom_fields["without_role"] is True
    assert "without_role" not in enrollment().custom_fields


def test_names_of_courses_are_html_and_those_of_people_are_not() -> None:
    found = enrollment(
        course={"id": 2, "fullname": '<span lang="fr">Données &amp; vie</span>'}, user=student(fullname="R&amp;D")
    )

    assert (found.course.title, found.user.name) == ("Données & vie", "R&amp;D")


def test_what_moodle_does_not_state_is_null() -> None:
    found = enrollment()

    assert [found.enrolled_at, found.assigned_at, found.due_at, found.started_at, found.last_activity_at] == [None] * 5
    assert [found.progress_percent, found.score, found.is_mandatory, found.assigned_by, found.user.emails] == [
        None, None, None, None, [],
    ]  # fmt: skip


# -- a site made of the recording -------------------------------------------------------------------------------------


class Recorded:
    """Gives the recording's answers as often as they are asked for, to any subset of its requests."""

    def __init__(self, *, ignore_option: bool = False) -> None:
        self.asked: list[str] = []
        self._ignore_option = ignore_option
        log = json.loads((FIXTURES / "tenant.har.json").read_text(encoding="utf-8"))["log"]
        self._answers: dict[frozenset[tuple[str, str]], Any] = {}
        self._people: dict[tuple[str, str], list[Any]] = {}
        for entry in (entry for entry in log["entries"] if "_use" not in entry):
            form = {one["name"]: one["value"] for one in entry["request"]["postData"]["params"]}
            body = entry["response"]["content"]["_json"]
            self._answers[frozenset(form.items())] = body
            if form["wsfunction"] == "core_enrol_get_enrolled_users":
                self._people.setdefault((form["courseid"], form["options[0][name]"]), []).extend(body)
        self.transport = httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        form = dict(httpx.QueryParams(request.content.decode()))
        self.asked.append(form["wsfunction"])
        return httpx.Response(200, json=self._body(form))

    def _body(self, form: dict[str, str]) -> Any:
        found = self._answers.get(frozenset(form.items()))
        match form["wsfunction"]:
            case "core_enrol_get_enrolled_users":
                return self._page(form)
            case "core_course_get_courses_by_field" if "value" in form:
                [every] = [one for key, one in self._answers.items() if ("wsfunction", form["wsfunction"]) in key]
                return {"courses": [one for one in every["courses"] if str(one["id"]) == form["value"]]}
            case "gradereport_user_get_grade_items" if form["userid"] != "0":
                every = self._answers[frozenset((form | {"userid": "0"}).items())]
                return {"usergrades": [one for one in every["usergrades"] if str(one["userid"]) == form["userid"]]}
            case _:
                return found if found is not None else []

    def _page(self, form: dict[str, str]) -> list[Any]:
        course, option = form["courseid"], form["options[0][name]"]
        people = self._people.get((course, option), [])
        if self._ignore_option and option == "onlysuspended":
            people = sorted([*people, *self._people.get((course, "onlyactive"), [])], key=lambda one: one["id"])
        start, size = int(form["options[2][value]"]), int(form["options[3][value]"])
        fields = [*form["options[1][value]"].split(","), "fullname"]
        return [{key: one[key] for key in one if key in fields} for one in people[start : start + size]]
