"""The pieces of the benchmark work: what they measure is not tested here."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import urlopen
from xml.etree import ElementTree as ET

import compare
import normalizer
import plot
import pytest
import serving
import tenants
from again import FIRST, SECOND, rounds
from contenders import CONTENDERS
from latency import told
from rollbook.core.http import no_waits
from rollbook.core.store import PRIVATE, Store
from serving import Counted
from whole import Whole, measured, workspace

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def address() -> Any:
    with serving.serving(1_300) as found:
        yield found


def asked(url: str) -> tuple[list[Any], str | None]:
    with urlopen(url) as answer:  # noqa: S310 - on loopback
        link = re.match(r'<(.+)>; rel="next"', answer.headers.get("Link", ""))
        return json.load(answer), link and link[1]


def walked(url: str) -> list[Any]:
    found: list[Any] = []
    following: str | None = url
    while following:
        items, following = asked(following)
        found += items
    return found


def test_the_server_gives_every_enrollment_once_and_counts_the_requests(address: str) -> None:
    courses = walked(f"{address}/api/v1/accounts/self/courses?per_page=100")
    rows = [row for one in courses for row in walked(f"{address}/api/v1/courses/{one['id']}/enrollments?per_page=100")]

    assert len(courses) == 2
    assert len({row["id"] for row in rows}) == len(rows) == 1_300
    assert {row["course_id"] for row in rows} == {one["id"] for one in courses}
    assert serving.counted(address).requests == 1 + 10 + 3
    assert serving.counted(address).requests == 0


def test_the_server_knows_only_canvas_s_paths(address: str) -> None:
    with pytest.raises(HTTPError, match="404") as found:
        asked(f"{address}/api/v1/courses/100000/quizzes?per_page=100")
    found.value.close()


def test_mappings_by_hand_give_what_the_built_in_ones_give() -> None:
    """`ways` asserts it before anything is timed."""
    assert [len(normalizer.ways(case)) for case in normalizer.cases()] == [3, 3, 2, 2]


def test_a_whole_process_is_measured_and_a_failure_is_told(tmp_path: Path) -> None:
    run = measured([sys.executable, "-c", "print(sum(range(10**6)))"], tmp_path)

    assert run.wall > 0
    assert run.cpu > 0
    assert run.peak > 5
    with pytest.raises(RuntimeError, match=r"exit status 1: .*no such luck"):
        measured([sys.executable, "-c", "raise SystemExit('no such luck')"], tmp_path)


def test_rollbook_reads_the_server_s_enrollments_as_a_contender(address: str, tmp_path: Path) -> None:
    run, requests = compare.once(CONTENDERS[0], tmp_path, address, 1_300)

    assert run.peak > 20
    assert requests == 1 + 2 * (10 + 3)


def test_a_contender_that_stored_too_little_is_left_out(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare.compete([CONTENDERS[0]], tmp_path, address, rows=9_999, rounds=1) == {}
    assert "rollbook is left out: it stored 1300 enrollments of 9999" in capsys.readouterr().err


def test_a_workspace_holds_no_token(tmp_path: Path) -> None:
    workspace(tmp_path, "canvas", base_url="http://127.0.0.1:1", concurrency=2)
    text = (tmp_path / "rollbook.toml").read_text()

    assert 'access_token = { env = "TOKEN" }' in text
    assert "concurrency = 2" in text


def made_up() -> dict[str, Any]:
    runs: compare.Runs = {
        CONTENDERS[0]: [(Whole(1.0, 0.9, 60.0), 401), (Whole(2.0, 1.9, 70.0), 401), (Whole(9.0, 8.9, 80.0), 401)],
        CONTENDERS[1]: [(Whole(2.0, 1.8, 50.0), 401), (Whole(2.5, 2.4, 50.0), 401), (Whole(9.0, 8.9, 50.0), 401)],
    }
    rows = [compare.figures(one, one.name, runs) for one in runs]
    return {"rows": 20_000, "rounds": 3, "machine": "a <machine>, 2026-01-01", "contenders": rows}


def test_a_ratio_is_the_median_of_the_rounds_ratios() -> None:
    ours, script = made_up()["contenders"]

    assert (ours["wall"], ours["ratio"], ours["cpu"], ours["peak"]) == (2.0, 0.8, 1.9, 70.0)
    assert script["ratio"] == 1.0


def test_the_table_has_a_line_for_each_contender() -> None:
    lines = compare.table(made_up()).splitlines()

    assert lines[0] == "20,000 enrollments, medians of 3 rounds in turn; ratios to the script. a <machine>, 2026-01-01."
    assert lines[4] == "| rollbook | one schema, SQLite | 2.00 (1.00, 9.00) | 0.80 | 1.90 | 0.79 | 70 | 401 |"
    assert len(lines) == 6


def test_the_plot_is_svg_that_shows_each_figure() -> None:
    root = ET.fromstring(plot.compared(made_up()))  # noqa: S314 - our own
    texts = [found.text for found in root.iter("{http://www.w3.org/2000/svg}text")]

    assert {"rollbook", "script", "2.00", "2.50", "70", "50"} <= set(texts)
    assert len(list(root.iter("{http://www.w3.org/2000/svg}rect"))) == 4


def test_latency_is_held_against_the_requests_that_were_under_way_at_once() -> None:
    runs = [(Counted(401, 4), Whole(wall, 2.0, 50.0)) for wall in (12.0, 11.0, 13.0)]

    assert told("rollbook", runs, 0.1) == "rollbook           401         4     10.03     12.00      2.00       84%"


@pytest.fixture(scope="module")
def small() -> Any:
    with no_waits():
        yield asyncio.run(tenants.cases(60))


@pytest.mark.parametrize("place", range(6))
def test_the_fewest_requests_are_no_more_than_a_full_sync_makes(small: list[tenants.Case], place: int) -> None:
    case = small[place]
    before = case.asked()
    with no_waits(), Store(PRIVATE) as store:
        report = asyncio.run(tenants.sync(case, store))

    assert 0 < case.least <= case.asked() - before == report.counts.requests
    assert report.live > 0
    assert not report.flaws
    assert not report.drift


def test_the_database_counts_the_rows_that_a_sync_writes() -> None:
    with no_waits():
        case = next(one for one in asyncio.run(tenants.cases(100)) if one.name == "docebo learn")
        found = asyncio.run(rounds(case))

    assert [one.written for one in found.values()] == [400, 0, 4]
    assert list(found) == [FIRST, SECOND, "third, 4 changed"]
