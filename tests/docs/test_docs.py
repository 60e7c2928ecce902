"""The documentation is true where a program can tell: links, names, TOML, SQL."""

from __future__ import annotations

import re
import sqlite3
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from rollbook.core.schema import AssignedBy, Course, CourseEnrollment, Email, Status, Url, User
from rollbook.core.store.tables import metadata
from sqlalchemy import create_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
FOLDERS = ("docs", "examples", "connectors", "mappings", "sandbox", "bench", "tests")
PAGES = sorted(
    [*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md"))],
)
FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)[^)]*\)")
PARTS: dict[str, type[BaseModel]] = {
    "": CourseEnrollment,
    "user.": User,
    "user.emails[].": Email,
    "course.": Course,
    "assigned_by.": AssignedBy,
    "urls[].": Url,
}


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _fenced(page: Path, language: str) -> list[str]:
    found = FENCE.finditer(page.read_text(encoding="utf-8"))
    return [block["text"] for block in found if block["language"] == language]


def _prose(page: Path) -> str:
    """Give a page without its code, where brackets are no links."""
    return re.sub(r"`[^`\n]*`", "`code`", FENCE.sub("", page.read_text(encoding="utf-8")))


def _anchors(page: Path) -> set[str]:
    """Give the anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ +(.+?) *$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _broken(page: Path) -> Iterator[str]:
    for link in LINK.findall(_prose(page)):
        if re.match(r"[a-z][a-z0-9+.-]*:", link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (page.parent / path) if path else page
        is_page = target.suffix == ".md" and target.is_file()
        if not target.exists() or (anchor and is_page and anchor not in _anchors(target)):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_relative_links_lead_somewhere(page: Path) -> None:
    broken = set(_broken(page))

    assert set() == broken


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_toml_examples_are_toml(page: Path) -> None:
    for text in _fenced(page, "toml"):
        tomllib.loads(text.replace(" ...,", ""))  # an ellipsis stands for what is left out


def test_every_field_of_the_schema_is_explained() -> None:
    explained = set(re.findall(r"^\| `([^`]+)` \|", (DOCS / "semantics.md").read_text(encoding="utf-8"), re.MULTILINE))
    fields = {f"{prefix}{name}" for prefix, part in PARTS.items() for name in part.model_fields}

    assert set() == fields - explained


def test_every_status_is_explained_and_has_a_line_in_the_ladder() -> None:
    text = (DOCS / "semantics.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    in_ladder = set(re.findall(r"^\| \d+ \| `(\w+)` \|", text, re.MULTILINE))

    assert set() == set(Status) - explained
    assert set(Status) == in_ladder


def test_sql_examples_run_on_the_tables(tmp_path: Path) -> None:
    file = tmp_path / "rollbook.db"
    engine = create_engine(f"sqlite:///{file}")
    metadata.create_all(engine)
    engine.dispose()
    examples = _fenced(DOCS / "sync.md", "sql")
    db = sqlite3.connect(file)
    try:
        for example in examples:
            db.execute(example).fetchall()
    finally:
        db.close()

    assert examples


def test_every_table_of_the_store_is_named() -> None:
    named = set(re.findall(r"`(\w+)`", (DOCS / "sync.md").read_text(encoding="utf-8")))

    assert set() == set(metadata.tables) - named


def test_every_connector_is_listed() -> None:
    connectors = {module.stem for module in (ROOT / "connectors").glob("[!_]*.py")}
    listed = set(re.findall(r"\(connectors/(\w+)\.md\)", (DOCS / "connectors.md").read_text(encoding="utf-8")))

    assert listed >= connectors
