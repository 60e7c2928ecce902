"""The default tenants of both vendors show at least seven of the ten unified statuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .conftest import Client


def talentlms_status(row: dict[str, Any], lapsed: set[str], now: float) -> str:
    """Read a row as docs/semantics.md says, without the project's own mapping."""
    status = row["completion_status"]
    if status == "completed":
        return "expired" if row["id"] in lapsed else "completed"
    if status == "failed":
        return "failed"
    if row["expired_on_timestamp"] and int(row["expired_on_timestamp"]) < now:
        return "expired"
    return {"incomplete": "in_progress", "not_attempted": "enrolled"}[status]


def canvas_status(row: dict[str, Any], progress: dict[str, Any] | None) -> str:
    """Likewise."""
    state = row["enrollment_state"]
    if progress and progress.get("completed_at"):
        return "completed"
    if state == "active":
        return "in_progress" if row["last_activity_at"] or row["total_activity_time"] else "enrolled"
    concluded = "expired" if progress and "requirement_count" in progress else "completed"
    return {"invited": "assigned", "creation_pending": "assigned", "completed": concluded}.get(state, "withdrawn")


def test_talentlms_shows_five_statuses(talentlms: Client) -> None:
    now = talentlms.tenant.as_of.timestamp()
    found: set[str] = set()
    for each in talentlms.tenant.person_ids:
        answer = talentlms.get(f"/api/v1/users/id:{each}")
        if answer.status_code == 404:
            continue
        user = answer.json()
        ends = {one["course_id"]: one["expiration_date_timestamp"] for one in user["certifications"]}
        lapsed = {course for course, end in ends.items() if 0 < end < now}
        found |= {talentlms_status(row, lapsed, now) for row in user["courses"] if row["role"] == "learner"}

    assert found == {"enrolled", "in_progress", "completed", "expired", "failed"}


def test_canvas_shows_six_statuses(canvas: Client) -> None:
    states = "&".join(
        f"state[]={state}"
        for state in ("active", "invited", "creation_pending", "inactive", "completed", "rejected", "deleted")
    )
    found: set[str] = set()
    for course in canvas.json("/api/v1/accounts/self/courses"):
        for row in canvas.every(f"/api/v1/courses/{course['id']}/enrollments?type[]=StudentEnrollment&{states}"):
            answer = canvas.get(f"/api/v1/courses/{course['id']}/users/{row['user_id']}/progress")
            found.add(canvas_status(row, answer.json() if answer.status_code == 200 else None))

    assert found == {"assigned", "enrolled", "in_progress", "completed", "withdrawn", "expired"}
