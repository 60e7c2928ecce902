"""Moodle's second strategy: a custom report of all participants, as text for people."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from rollbook.connectors.moodle import MoodleReport, MoodleSettings
from rollbook.core.api import connect
from rollbook.core.connection import open_connection
from rollbook.core.errors import AuthError, ContractError, Forbidden, Gone, SettingsError
from rollbook.core.http import no_waits
from rollbook.core.mapping import Mapped, Skipped
from rollbook.core.testing import load_case

FIXTURES = Path(__file__).parent.parent / "fixtures" / "moodle"
CASE = load_case(FIXTURES / "report.har.json")
STANDARD = load_case(FIXTURES / "tenant.har.json")
WORDS = load_case(FIXTURES / "report-words.har.json")
AS_OF = CASE.as_of
SITE: dict[str, Any] = dict(CASE.settings)

REPORT = "core_reportbuilder_retrieve_report"
SET_FILTERS = "core_reportbuilder_set_filters"
USERS = "core_user_get_users_by_field"
COURSES = "core_course_get_courses_by_field"
SITE_INFO = "core_webservice_get_site_info"
FUNCTIONS = [REPORT, SET_FILTERS, USERS, COURSES]
COLUMNS = tuple(MoodleSettings.model_fields["report_columns"].default)
MONDAY = "Monday, 5 January 2026, 8:00 AM"
NOON = "Wednesday, 14 January 2026, 12:00 PM"


class Site:
    """A made-up site: a report, and those who are in it."""

    def __init__(self, rows: list[list[Any]] | None = None, answers: dict[str, Any] | None = None) -> None:
        self.asked: list[dict[str, str]] = []
        self.total_past_the_end: int | None = None
        self.answers = answers or {}
        log = json.loads((FIXTURES / "report.har.json").read_text(encoding="utf-8"))["log"]
        found = [(_form(entry), entry["response"]["content"]["_json"]) for entry in log["entries"]]
        pages = [body for form, body in found if form["wsfunction"] == REPORT and form["perpage"] == "10"]
        self.rows = [one["columns"] for page in pages[:4] for one in page["data"]["rows"]] if rows is None else rows
        self.headers, self.details = pages[0]["data"]["headers"], pages[0]["details"]
        self.courses = next(body for form, body in found if form["wsfunction"] == COURSES)["courses"]
        people = [body for form, body in found if form["wsfunction"] == USERS]
        self.people = list({one["id"]: one for body in people for one in body}.values())
        self.transport = httpx.MockTransport(self._answer)

    def names(self) -> list[str]:
        """Give the functions that were called."""
        return [form["wsfunction"] for form in self.asked]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        form = dict(httpx.QueryParams(request.content.decode()))
        self.asked.append(form)
        function = form["wsfunction"]
        if function in self.answers:
            return httpx.Response(200, json=self.answers[function])
        return httpx.Response(200, json=self._body(function, form))

    def _body(self, function: str, form: dict[str, str]) -> Any:
        if function == SET_FILTERS:
            return True
        if function == REPORT:
            return self._page(int(form["page"]), int(form["perpage"]))
        if function == COURSES:
            field, value = form.get("field"), form.get("value")
            return {"courses": [one for one in self.courses if field is None or str(one[field]) == value]}
        if function == USERS:
            values = {value for name, value in form.items() if name.startswith("values[")}
            return [one for one in self.people if str(one[form["field"]]) in values]
        return {"functions": [{"name": name} for name in FUNCTIONS], "lang": "en", "userid": 2}

    def _page(self, page: int, size: int) -> dict[str, Any]:
        rows = self.rows[page * size : (page + 1) * size]
        total = len(self.rows) if rows or self.total_past_the_end is None else self.total_past_the_end
        data = {"headers": self.headers, "rows": [{"columns": row} for row in rows], "totalrowcount": total}
        return {"details": self.details, "data": data, "warnings": []}


def _form(entry: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["value"] for one in entry["request"]["postData"]["params"]}


def row(**cells: str | None) -> dict[str, Any]:
    """Make a row of the report by the names of its columns."""
    usual = {"course_shortname": "FIRE1", "username": "nora.quill", "status": "Active", "created": MONDAY}
    usual |= {
        "started": MONDAY,
        "role": "Student",
        "completed": "No",
        "progress": "0.0%",
        "method": "Manual enrolments",
    }
    return dict.fromkeys(COLUMNS, "") | usual | cells


def cells(**named: str | None) -> list[Any]:
    return list(row(**named).values())


def error(code: str) -> dict[str, str]:
    return {"exception": "moodle_exception", "errorcode": code, "message": "It says so"}


def read(site: Site, **settings: Any) -> list[Any]:
    with no_waits(), connect("moodle", clock=lambda: AS_OF, transport=site.transport, **SITE | settings) as lms:
        return list(lms.enrollments())


def read_pages(site: Site, **settings: Any) -> None:
    """Read the report as it comes, so that errors are what the connector raises."""

    async def pages() -> None:
        async with open_connection("m", "moodle", SITE | settings, transport=site.transport) as connection:
            [partition] = [one async for one in connection.connector.partitions()]
            async for _ in connection.connector.pages(partition, None, None):
                pass

    asyncio.run(pages())


def mapped(*rows: dict[str, Any], settings: dict[str, Any] | None = None, **record: Any) -> Any:
    """Map the folded rows of one learner in one course."""
    parts: dict[str, Any] = {"course": {"id": 2, "fullname": "Knots"}, "user": {"id": 7, "fullname": "Nora Quill"}}
    folded = MoodleReport.fold([{**parts, **record, "enrolment": one} for one in rows])
    normalizer = open_connection("m", "moodle", SITE | (settings or {})).normalizer
    return normalizer.normalize(folded, as_of=AS_OF, kind="report")


def enrollment(*rows: dict[str, Any], **more: Any) -> Any:
    result = mapped(*rows, **more)
    assert isinstance(result, Mapped)
    return result.enrollment


# -- the same as by the other strategy ---------------------------------------------------------------------------------


def test_what_both_strategies_see_is_the_same() -> None:
    seen = {one["id"]: one for one in STANDARD.enrollments}

    assert [one["id"] for one in CASE.enrollments] == sorted(seen)
    for one in CASE.enrollments:
        other = seen[one["id"]]
        assert {key: one[key] for key in ("user", "course", "urls")} == {
            key: other[key] for key in ("user", "course", "urls")
        }
        for date in ("completed_at", "last_activity_at"):  # the report has no seconds
            assert (one[date] or "")[:16] == (other[date] or "")[:16]
        if other["status"] != "withdrawn":
            assert one["status"] == other["status"]


def test_the_report_tells_suspended_from_ended_and_from_not_begun() -> None:
    not_active = [one["id"] for one in STANDARD.enrollments if one["status"] == "withdrawn"]

    assert not_active == ["2:16", "4:11", "4:14"]
    assert [one["status"] for one in CASE.enrollments if one["id"] in not_active] == [
        "withdrawn",
        "expired",
        "enrolled",
    ]


def test_the_report_brings_the_dates_of_enrolment() -> None:
    assert all(one["enrolled_at"] == one["created_at"] is not None for one in CASE.enrollments)
    assert all(one["enrolled_at"] is None for one in STANDARD.enrollments)


# -- traps -------------------------------------------------------------------------------------------------------------


def test_methods_without_learners_and_deleted_learners_are_rows_without_a_user_and_left_out() -> None:
    blank = [*cells(status=None)]
    blank[COLUMNS.index("username")] = ""
    gone = [*blank]
    gone[COLUMNS.index("username")] = None
    found = read(Site([blank, gone, cells()]))

    assert [one.id for one in found] == ["2:11"]


@pytest.mark.parametrize("total", [0, 3])
def test_the_end_of_the_report_is_an_empty_page_whatever_the_total_beside_it(total: int) -> None:
    """Past the end Moodle 4.3 repeats the total, 5.1 says 0."""
    site = Site([cells(username=name) for name in ("nora.quill", "chidi", "ola")])
    site.total_past_the_end = total
    found = read(site, page_size=2)

    assert [one.id for one in found] == ["2:11", "2:13", "2:20"]
    assert [(form["page"], form["perpage"]) for form in site.asked if form["wsfunction"] == REPORT] == [
        ("0", "2"), ("1", "2"), ("2", "2"),
    ]  # fmt: skip


def test_two_methods_make_one_enrollment_of_the_active_one() -> None:
    ended = row(method="Self enrolment", status="Not current", created=NOON, ended=NOON)
    found = enrollment(ended, row(method="Manual enrolments", created=MONDAY))

    assert (found.status, found.custom_fields["method"]) == ("enrolled", "Manual enrolments")
    assert found.enrolled_at == datetime(2026, 1, 5, 8, tzinfo=UTC)


def test_of_two_methods_in_the_same_state_the_newest_counts() -> None:
    """By the date, not by its text: a Thursday in October is later than a Wednesday in January."""
    rows = [row(method="a", created=NOON), row(method="b", created="Thursday, 1 October 2026, 8:00 AM")]

    assert enrollment(*rows).custom_fields["method"] == "b"
    assert enrollment(*reversed(rows)).custom_fields["method"] == "b"


def test_a_date_that_cannot_be_read_is_older_than_any_other() -> None:
    assert enrollment(row(method="a", created="gestern"), row(method="b")).custom_fields["method"] == "b"


def test_pages_that_split_a_learners_rows_are_folded() -> None:
    site = Site([cells(role="Teacher"), cells(role="Student")])
    [found] = read(site, page_size=1)

    assert found.custom_fields["role"] == "Teacher, Student"


def test_a_learner_of_two_roles_is_listed_twice_and_is_staff_only_if_both_are() -> None:
    assert enrollment(row(role="Teacher"), row(role="Student")).custom_fields["role"] == "Teacher, Student"
    assert mapped(row(role="Teacher"), row(role="Manager")) == Skipped("staff", "2:7")
    assert isinstance(mapped(row(role="Teacher"), settings={"include_staff": True}), Mapped)


@pytest.mark.parametrize("role", ["Teacher", "Non-editing teacher", "Manager", "Course creator"])
def test_staff_is_known_by_the_names_of_roles(role: str) -> None:
    assert mapped(row(role=role)) == Skipped("staff", "2:7")
    assert isinstance(mapped(row(role=role), settings={"student_role_shortnames": [role]}), Mapped)


@pytest.mark.parametrize(("role", "drift"), [("Student", []), ("Mentor", ["Mentor"]), ("", ["(missing)"])])
def test_unknown_and_missing_roles_stay_in_and_are_drift(role: str, drift: list[str]) -> None:
    assert drift == [one.value for one in mapped(row(role=role)).drift]


def test_the_columns_headed_alike_are_told_apart_by_their_place() -> None:
    """Two columns are headed "Time started": of the access, and of the activity."""
    found = enrollment(row(started="Tuesday, 6 January 2026, 9:00 AM", completion_started=NOON))

    assert found.custom_fields["access_starts_at"] == "2026-01-06T09:00:00Z"
    assert found.started_at == datetime(2026, 1, 14, 12, tzinfo=UTC)


def test_a_start_that_only_repeats_the_creation_is_none() -> None:
    assert "access_starts_at" not in enrollment(row(created=MONDAY, started=MONDAY)).custom_fields


def test_dates_are_in_the_time_zone_of_the_connection() -> None:
    zone = {"timezone": "Europe/London"}
    summer = row(created="Monday, 27 July 2026, 9:23 PM")

    assert enrollment(summer, settings=zone).enrolled_at == datetime(2026, 7, 27, 20, 23, tzinfo=UTC)
    assert enrollment(summer).enrolled_at == datetime(2026, 7, 27, 21, 23, tzinfo=UTC)
    assert enrollment(row(created=NOON), settings=zone).enrolled_at == datetime(2026, 1, 14, 12, tzinfo=UTC)


@pytest.mark.parametrize(("cell", "progress"), [("0.0%", None), ("66.7%", 66.7), ("100.0%", 100), ("", None)])
def test_no_percent_may_be_no_progress_at_all_and_is_null(cell: str, progress: float | None) -> None:
    assert progress == enrollment(row(progress=cell)).progress_percent


def test_grades_are_points_and_no_score() -> None:
    found = enrollment(row(grade="118.00", completed="Yes"), settings={"pass_mark": 50})

    assert (found.score, found.status) == (None, "completed")
    assert (found.custom_fields["score_raw"], found.custom_fields["score_text"]) == (118, "118.00")


def test_without_a_record_of_completion_completed_is_no_or_empty() -> None:
    """Moodle 4.3 says No, 5.1 nothing."""
    assert enrollment(row(completed="")).status == enrollment(row(completed="No")).status == "enrolled"


def test_a_short_name_is_found_whether_it_comes_as_html_or_not() -> None:
    site = Site([cells(course_shortname="R&D"), cells(course_shortname="Q&amp;A")])
    courses = [
        {"id": 8, "shortname": "R&amp;D", "fullname": "Tests"},
        {"id": 9, "shortname": "Q&A", "fullname": "Talk"},
    ]
    site.answers[COURSES] = {"courses": courses}

    assert [one.id for one in read(site)] == ["8:11", "9:11"]


def test_the_front_page_is_no_course() -> None:
    site = Site([cells(course_shortname="quill"), cells()])

    assert [one.id for one in read(site)] == ["2:11"]


def test_long_lists_of_names_are_cut_to_what_php_takes() -> None:
    site = Site([cells(username=f"learner{number}") for number in range(999)] + [cells()])
    read(site, page_size=1000)
    sizes = [sum(name.startswith("values[") for name in form) for form in site.asked if form["wsfunction"] == USERS]

    assert sizes == [500, 500]


def test_nobody_is_looked_up_twice() -> None:
    site = Site([cells(username=name) for name in ("nora.quill", "ghost", "ghost", "nora.quill", "chidi")])
    read(site, page_size=2)
    asked = [[value for name, value in form.items() if name.startswith("values[")] for form in site.asked]

    assert [one for one in asked if one] == [["ghost", "nora.quill"], ["chidi"]]


def test_filters_that_somebody_left_are_cleared_before_a_read() -> None:
    """They are kept on the server for the token's user, and hide rows without a sign."""
    site = Site()
    read(site)
    cleared = next(form for form in site.asked if form["wsfunction"] == SET_FILTERS)

    assert site.names().index(SET_FILTERS) < site.names().index(REPORT)
    assert (cleared["reportid"], cleared["values"], cleared["parameters"]) == ("7", "{}", "[]")


def test_filters_are_left_alone_if_that_is_asked_for() -> None:
    site = Site()
    read(site, clear_filters=False)

    assert SET_FILTERS not in site.names()


def test_filters_that_stay_stop_the_read() -> None:
    with pytest.raises(ContractError, match="filters could not be cleared"):
        read_pages(Site(answers={SET_FILTERS: False}))


# -- who and what cannot be seen ---------------------------------------------------------------------------------------


def test_a_learner_and_a_course_that_are_not_visible_are_rejected_and_take_no_other_with_them() -> None:
    rejected = WORDS.found["rejected"]

    assert len(rejected) == 2
    assert [one["id"] for one in WORDS.enrollments] == ["2:11", "2:13", "2:14", "2:16", "2:20"]


def test_a_site_of_invisible_learners_is_forbidden_and_not_empty() -> None:
    """Moodle answers with an empty list where it should refuse."""
    with pytest.raises(Forbidden, match="none of the report's learners") as raised:
        read_pages(Site(answers={USERS: []}))

    assert "moodle/user:viewdetails" in raised.value.hint


def test_a_site_of_invisible_courses_is_forbidden_and_not_empty() -> None:
    front_page = {"courses": [{"id": 1, "shortname": "site"}]}
    with pytest.raises(Forbidden, match="none of the report's courses") as raised:
        read_pages(Site(answers={COURSES: front_page}))

    assert "moodle/course:viewhiddencourses" in raised.value.hint


def test_a_report_that_is_not_shared_is_forbidden_with_how_to_share_it() -> None:
    with pytest.raises(Forbidden, match="errorreportview") as raised:
        read_pages(Site(answers={REPORT: error("errorreportview")}))

    assert "audience" in raised.value.hint


@pytest.mark.parametrize("code", ["invalidrecord", "invalidrecordunknown"])
@pytest.mark.parametrize("function", [REPORT, SET_FILTERS])
def test_a_report_that_does_not_exist_is_no_empty_one(function: str, code: str) -> None:
    with pytest.raises(ContractError, match=code) as raised:
        read_pages(Site(answers={function: error(code)}))

    assert "report_id" in raised.value.hint


def test_a_report_that_vanished_takes_no_single_enrollment_with_it() -> None:
    transport = Site(answers={REPORT: error("invalidrecord")}).transport
    with connect("moodle", transport=transport, **SITE) as lms, pytest.raises(ContractError):
        lms.enrollment("2:11")


@pytest.mark.parametrize("id", ["2:99", "77:11", "x", "2", "2:22"])
def test_an_enrollment_that_is_not_there_is_gone(id: str) -> None:
    with connect("moodle", transport=Site().transport, **SITE) as lms, pytest.raises(Gone):
        lms.enrollment(id)


# -- columns -----------------------------------------------------------------------------------------------------------


def test_a_column_more_or_less_is_told() -> None:
    with pytest.raises(ContractError, match="18 cells, and report_columns 17"):
        read_pages(Site(), report_columns=list(COLUMNS[:-1]))


def test_columns_in_another_order_are_told_by_their_headings() -> None:
    swapped = [*COLUMNS[:6], "created", "status", *COLUMNS[8:]]
    with pytest.raises(ContractError, match="column 7 of the report is headed 'Status'"):
        read_pages(Site(), report_columns=swapped)


def test_a_heading_that_somebody_wrote_is_left_to_the_settings() -> None:
    site = Site([cells()])
    site.headers = ["Kurs", *site.headers[1:]]

    assert [one.id for one in read(site)] == ["2:11"]


def test_a_column_may_be_left_out() -> None:
    [found] = read(
        Site([cells(email="x@example.com")]), report_columns=["" if one == "grade" else one for one in COLUMNS]
    )

    assert "score_raw" not in found.custom_fields


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"report_id": None}, "`report_id` is missing"),
        ({"report_columns": ["username", "status"]}, "needs course_shortname"),
        ({"report_columns": [*COLUMNS, "shoe_size"]}, "unknown name in place 19"),
        ({"report_columns": [*COLUMNS, "grade"]}, "names a column twice"),
    ],
)
def test_settings_that_cannot_work_are_told(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingsError, match=told), connect("moodle", **SITE | settings):
        pass


# -- status ------------------------------------------------------------------------------------------------------------

PAST, AHEAD = "Tuesday, 20 January 2026, 8:00 AM", "Sunday, 1 March 2026, 12:00 AM"


@pytest.mark.parametrize(
    ("cells", "status"),
    [
        ({}, "enrolled"),
        ({"progress": "12.5%"}, "in_progress"),
        ({"last_access": PAST}, "in_progress"),
        ({"completion_started": PAST}, "in_progress"),
        ({"progress": "100.0%"}, "in_progress"),
        ({"ended": AHEAD}, "enrolled"),
        ({"ended": PAST}, "expired"),
        ({"completed": "Yes", "completion_completed": PAST}, "completed"),
        ({"completed": "Yes", "ended": PAST}, "completed"),
        ({"completed": "", "completion_completed": PAST}, "completed"),
        ({"status": "Suspended"}, "withdrawn"),
        ({"status": "Suspended", "last_access": PAST, "ended": PAST}, "withdrawn"),
        ({"status": "Suspended", "completed": "Yes"}, "completed"),
        ({"status": "Not current", "ended": PAST}, "expired"),
        ({"status": "Not current", "ended": PAST, "last_access": PAST}, "expired"),
        ({"status": "Not current", "ended": PAST, "completed": "Yes"}, "completed"),
        ({"status": "Not current", "started": AHEAD}, "enrolled"),
        ({"status": "Not current"}, "withdrawn"),
        ({"status": "Not current", "ended": AHEAD}, "withdrawn"),
        ({"status": None}, "unknown"),
        ({"status": "Aktiv", "completed": "Yes"}, "unknown"),
    ],
)
def test_the_status_follows_the_states_of_the_enrolment(cells: dict[str, str | None], status: str) -> None:
    """Ended is `expired`, not begun `enrolled`; by a method that is switched off `withdrawn`."""
    assert status == enrollment(row(**cells)).status


def test_a_suspended_account_changes_no_status() -> None:
    found = enrollment(row(), user={"id": 7, "suspended": True})

    assert (found.status, found.custom_fields["user_active"]) == ("enrolled", False)


def test_words_of_another_language_are_drift_and_dates_flaws() -> None:
    result = mapped(row(status="Aktiv", created="Montag, 5. Januar 2026, 08:00"))

    assert [(one.what, one.value) for one in result.drift] == [("status", "Aktiv")]
    assert {flaw.field for flaw in result.flaws} >= {"enrolled_at", "created_at"}


# -- check -------------------------------------------------------------------------------------------------------------


def info(**more: Any) -> dict[str, Any]:
    return {"functions": [{"name": name} for name in FUNCTIONS], "lang": "en", "userid": 2} | more


def check(site: Site, **settings: Any) -> list[tuple[str, str]]:
    with connect("moodle", transport=site.transport, **SITE | settings) as lms:
        return [(notice.level, notice.text) for notice in lms.check()]


def test_a_check_finds_nothing_wrong_with_a_site_that_is_ready() -> None:
    assert check(Site()) == []


@pytest.mark.parametrize("lacking", FUNCTIONS)
def test_a_check_names_the_function_that_the_service_lacks(lacking: str) -> None:
    functions = [{"name": name} for name in FUNCTIONS if name != lacking]
    body = info(functions=functions, userprivateaccesskey="s3cr3t-key")
    [(level, text)] = check(Site(answers={SITE_INFO: body}))

    assert level == "missing"
    assert lacking in text
    assert "s3cr3t-key" not in text


@pytest.mark.parametrize("code", ["invalidtoken", "accessexception"])
def test_a_token_that_is_refused_is_an_auth_error(code: str) -> None:
    with pytest.raises(AuthError, match=code):
        check(Site(answers={SITE_INFO: error(code)}))


def test_a_check_tells_that_the_report_is_not_shared() -> None:
    [(level, text)] = check(Site(answers={REPORT: error("errorreportview")}))

    assert level == "missing"
    assert "audience" in text


def test_a_check_tells_that_reports_are_switched_off() -> None:
    features = [{"name": "enablecustomreports", "value": 0}]
    [(level, text)] = check(Site(answers={SITE_INFO: info(advancedfeatures=features)}))

    assert level == "missing"
    assert "Advanced features" in text


def test_a_check_tells_that_the_report_is_in_another_language() -> None:
    [(level, text)] = check(Site(answers={SITE_INFO: info(lang="de")}))

    assert level == "missing"
    assert "English" in text


@pytest.mark.parametrize(("zone", "level"), [("99", "info"), ("Asia/Tokyo", "missing")])
def test_a_check_tells_that_the_report_is_in_another_time_zone(zone: str, level: str) -> None:
    site = Site()
    next(one for one in site.people if one["id"] == 2)["timezone"] = zone
    [(told, text)] = check(site)

    assert told == level
    assert "timezone" in text


def test_a_check_tells_that_learners_and_courses_are_not_visible() -> None:
    told = check(Site(answers={USERS: [], COURSES: {"courses": []}}))
    texts = " ".join(text for _, text in told)

    assert "moodle/user:viewalldetails" in texts
    assert "moodle/course:viewhiddencourses" in texts


def test_a_check_tells_what_the_report_is_made_of() -> None:
    site = Site()
    site.details = site.details | {"source": "core_user\\users", "conditiondata": '{"x": 1}'}
    told = check(site, report_columns=["" if one == "grade" else one for one in COLUMNS])

    assert [level for level, _ in told] == ["missing", "info", "reduced"]
    assert "grade" in told[-1][1]


def test_an_estimate_asks_the_report_how_long_it_is() -> None:
    site = Site()
    with connect("moodle", transport=site.transport, **SITE) as lms:
        estimate = lms.estimate()

    assert len(site.asked) == 1
    assert (estimate.requests, estimate.exact) == (7, False)  # 24 rows by 10, an empty page, filters, courses, users
