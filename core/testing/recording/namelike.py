"""What looks like somebody's name, where a member's own name does not settle it; and what is about a course."""

from __future__ import annotations

import re

from .keys import PERSON_WORDS, words

__all__ = ["is_course_like", "may_name_somebody", "names_somebody"]

_THINGS = frozenset(
    {"content", "course", "learning", "training", "item", "object", "activity", "lesson", "module", "program"}
    | {"programme", "path", "track", "plan", "material", "topic", "event", "certificate", "badge", "skill", "exam"}
)
_COURSE = re.compile(
    r"(\w*(course|kurs|cours|curso|corso|cursus)\w*|completepercent|category\w*|categories|startdate|enddate|summary|summaryformat|creditpoints|lesson\w*|syllabus\w*|workflowstate"
    r"|enrollmenttermid|certification\w*|uidcourse|duration|price|catalog\w*|section(s|id|name)|quiz\w*|grademax|itemtype)"
)
_NOT_NAMES = frozenset(
    {"type", "role", "status", "state", "group", "branch", "level", "title", "category", "department", "organization"}
    | {
        "company",
        "content",
        "learning",
        "training",
        "timezone",
        "language",
        "locale",
        "country",
        "roles",
        "types",
        "kind",
        "position",
        "job",
        "label",
    }
    | {"mode", "method", "approval", "attendance", "version", "reason", "source", "outcome", "stage", "phase", "rating"}
    | {"delivery", "frequency", "completion", "enrollment", "registration", "assessment", "priority", "audience"}
    | {"visibility", "grading", "channel", "model", "policy", "relevance", "requirement", "eligibility", "decision"}
)
_LONGEST_NAME = 100
_DOERS = frozenset({"cc", "bcc", "by", "who"})
_NAMELIKE = re.compile(r"[^\W\d_a-z][^\W\d_]*[.’'-]?[^\W\d_]*(\s+[^\W\d_a-z][^\W\d_]*[.’'-]?[^\W\d_]*){1,3}")  # noqa: RUF001


def names_somebody(name: str, value: str) -> bool:
    """Tell whether a text is most likely somebody's name: it looks like one, and its member speaks of a person."""
    parts = words(name)
    if len(value) > _LONGEST_NAME or not parts:
        return False
    speaks = (
        any(word.removesuffix("s") in PERSON_WORDS - {"profile"} or word == "people" for word in parts)
        or parts[-1] in _DOERS
    )
    return speaks and parts[-1] not in _NOT_NAMES and bool(_NAMELIKE.fullmatch(value))


def may_name_somebody(name: str, value: str) -> bool:
    """Tell whether a text in a person's object may be another's name: it looks like one, and nothing speaks against."""
    parts = words(name)
    if len(value) > _LONGEST_NAME or not parts or parts[-1] in _NOT_NAMES | {"name", "text", "result", "grade", "url"}:
        return False
    if _THINGS & set(parts):
        return False
    return not _COURSE.fullmatch("".join(parts)) and bool(_NAMELIKE.fullmatch(value))


def is_course_like(names: frozenset[str]) -> bool:
    """Tell whether an object with these members is about a course, or a thing in one."""
    return any(_COURSE.fullmatch("".join(words(name))) for name in names)
