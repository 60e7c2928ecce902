"""Docebo and Moodle over made-up tenants, as transports for httpx: nothing leaves the process.

Their answers have the vendors' documented shapes; `tests/fixtures` has the odd ones. They are for counting requests.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx

START = datetime(2026, 1, 1, tzinfo=UTC)
APART = timedelta(minutes=20)
"""From one enrollment's last change to the next one's."""
STUDENT = {"roleid": 5, "name": "", "shortname": "student", "sortorder": 0}


class Pretend(httpx.MockTransport, ABC):
    """Answers with JSON, and counts."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.requests = 0

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        return httpx.Response(200, json=self.give(request), headers={"Date": "Mon, 01 Jun 2026 12:00:00 GMT"})

    @abstractmethod
    def give(self, request: httpx.Request) -> Any:
        """Give the body of an answer."""


class Docebo(Pretend):
    """A list of enrollments, which can be asked for what changed, and a list of users; 200 a page.

    Args:
        users: How many; each is in `courses` of fifty courses.
        courses: How many of each user.
    """

    def __init__(self, users: int, courses: int) -> None:
        super().__init__()
        self.users = [_docebo_user(number) for number in range(users)]
        places = [(user, (user + step) % 50) for user in range(users) for step in range(courses)]
        self.rows = [_docebo_row(user, course, number) for number, (user, course) in enumerate(places)]

    def change(self, every: int, at: str) -> int:
        """Let every so manieth enrollment make progress, and give how many did."""
        moved = self.rows[::every]
        for row in moved:
            row |= {"complete_percent": row["complete_percent"] + 1, "date_last_updated": at}
        return len(moved)

    def give(self, request: httpx.Request) -> Any:
        """Give a token, or a page."""
        if request.url.path == "/oauth2/token":
            return {"access_token": "made-up", "expires_in": 3600, "token_type": "Bearer", "scope": "api"}
        asked = request.url.params
        rows = self.users if request.url.path == "/manage/v1/user" else self.rows
        since = asked.get("updated_from", "")
        rows = [row for row in rows if row["date_last_updated"] >= since] if since else rows
        page, size = int(asked.get("page", "1")), int(asked.get("page_size", "200"))
        if request.url.path.startswith("/course/"):
            rows = [_docebo_course_row(row) for row in rows]
        items, pages = rows[(page - 1) * size : page * size], -(-len(rows) // size)
        told = {"count": len(items), "has_more_data": page < pages, "current_page": page, "current_page_size": size}
        told |= {"total_page_count": pages, "total_count": len(rows), "cursor": "s1", "items": items}
        return {"data": told, "version": "1.0.0", "extra_data": [], "_links": []}


def _docebo_user(number: int) -> dict[str, Any]:
    return {
        "user_id": str(9_000 + number),
        "username": f"learner{number}",
        "first_name": "Learner",
        "last_name": f"Number {number}",
        "fullname": f"Learner Number {number}",
        "email": f"learner{number}@example.com",
        "status": "1",
        "level": "user",
    }


def _docebo_row(user: int, course: int, number: int) -> dict[str, Any]:
    return {
        "id": 500 + course,
        "user_id": 9_000 + user,
        "subscribed_by": 9_000,
        "date_last_updated": f"{START + number * APART:%Y-%m-%d %H:%M:%S}",
        "username": f"learner{user}",
        "name": f"Course {course}",
        "complete_percent": user % 90,
        "type": "elearning",
        "status": "in_progress" if user % 90 else "enrolled",
        "lang_code": "en",
        "code": f"C-{course}",
        "enroll_date_of_enrollment": "2026-03-02 08:00:00",
        "enroll_begin_date": None,
        "enroll_end_date": None,
        "course_complete_date": None,
        "total_time": 1_800,
        "score": 0,
        "url": f"https://acme.docebosaas.com/learn/course/{500 + course}/x",
        "level": "learner",
    }


def _docebo_course_row(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "course_id": row["id"],
        "course_name": row["name"],
        "course_code": row["code"],
        "course_type": row["type"],
        "user_id": row["user_id"],
        "enrollment_level": row["level"],
        "enrollment_status": row["status"],
        "enrollment_score": row["score"],
        "enrollment_time_spent": row["total_time"],
        "enrollment_created_at": row["enroll_date_of_enrollment"],
        "enrollment_created_by": row["subscribed_by"],
        "enrollment_completion_date": row["course_complete_date"],
        "enrollment_date_last_updated": row["date_last_updated"],
    }


class Moodle(Pretend):
    """Web services of a site whose learners are in one course each.

    Args:
        courses: How many.
        learners: How many of each; one in twenty has completed it, one in fifty is suspended.
    """

    def __init__(self, courses: int, learners: int) -> None:
        super().__init__()
        self.courses = [_moodle_course(number) for number in range(courses)]
        self.learners = learners

    def active(self, user: int) -> bool:
        """Tell whether somebody's enrollment is active."""
        return user % 50 != 1

    def completed(self, user: int) -> bool:
        """Tell whether somebody has completed the course."""
        return user % 20 == 0

    def give(self, request: httpx.Request) -> Any:
        """Call a web service function."""
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        call = getattr(self, form["wsfunction"].partition("_get_")[2])
        return call(form)

    def courses_by_field(self, form: dict[str, str]) -> Any:
        """Give all courses."""
        del form
        return {"courses": self.courses, "warnings": []}

    def enrolled_users(self, form: dict[str, str]) -> Any:
        """Give a page of the active participants, or of the others."""
        active = form["options[0][name]"] == "onlyactive"
        first, most = int(form["options[2][value]"]), int(form["options[3][value]"])
        start = int(form["courseid"]) * 10_000
        there = [user for user in range(start, start + self.learners) if self.active(user) == active]
        return [_moodle_user(user) for user in there[first : first + most]]

    def grade_items(self, form: dict[str, str]) -> Any:
        """Give the course totals of everybody."""
        start = int(form["courseid"]) * 10_000
        total = {"itemtype": "course", "graderaw": 51.0, "grademin": 0, "grademax": 100}
        learners = range(start, start + self.learners)
        return {"usergrades": [{"userid": user, "gradeitems": [total]} for user in learners], "warnings": []}

    def users_courses(self, form: dict[str, str]) -> Any:
        """Give the courses of somebody."""
        user = int(form["userid"])
        row = self.courses[user // 10_000 - 2]
        done = self.completed(user)
        return [row | {"progress": 100 if done else 40, "completed": done, "completionusertracked": True}]

    def course_completion_status(self, form: dict[str, str]) -> Any:
        """Give the criteria that somebody met."""
        del form
        criterion = {"type": 4, "complete": True, "status": "Yes", "timecompleted": 1_768_200_000}
        return {"completionstatus": {"completed": True, "aggregation": 1, "completions": [criterion]}, "warnings": []}


def _moodle_course(number: int) -> dict[str, Any]:
    return {
        "id": 2 + number,
        "fullname": f"Course {number}",
        "shortname": f"C{number}",
        "idnumber": "",
        "categoryid": 2,
        "categoryname": "All",
        "format": "topics",
        "startdate": 1_767_225_600,
        "enddate": 0,
        "visible": 1,
        "enablecompletion": 1,
        "lang": "",
    }


def _moodle_user(user: int) -> dict[str, Any]:
    return {
        "id": user,
        "username": f"learner{user}",
        "fullname": f"Learner Number {user}",
        "email": f"learner{user}@example.com",
        "idnumber": "",
        "department": "",
        "lastcourseaccess": 1_768_300_000,
        "roles": [STUDENT],
    }
