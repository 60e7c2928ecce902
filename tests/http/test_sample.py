"""A sample: only the beginning of lists is read, on a recording in the same way as from the LMS."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from rollbook.core.api import connect
from rollbook.core.http import Cut, Http, LinkHeader, PageNumber, Sample

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rollbook.core.http import PageAnswer

PAGES = 5
SIZE = 4


class Lists:
    """An LMS in which every list has five pages of four items, and says so."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.url.path}?{request.url.params['page']}")
        page = int(request.url.params["page"])
        first = (page - 1) * SIZE
        items = [{"id": number} for number in range(first, first + SIZE)] if page <= PAGES else []
        return httpx.Response(200, json={"data": {"items": items}, "total": PAGES * SIZE, "pages": PAGES})


def read(lms: Lists, sample: Sample | None, items: Any = "data.items", **paging: Any) -> list[PageAnswer]:
    async def pages() -> list[PageAnswer]:
        client = Http("https://lms.example.com", transport=httpx.MockTransport(lms), sample=sample)
        async with client:
            lists = PageNumber(pages="pages", count="total", **paging)
            return [page async for page in client.paged("users", None, lists, items=items)]

    return asyncio.run(pages())


def ids(pages: list[PageAnswer]) -> list[list[object]]:
    return [[item["id"] for item in page.items] for page in pages]


@pytest.mark.parametrize("sample", [None, Sample()])
def test_without_a_sample_everything_is_read(sample: Sample | None) -> None:
    lms = Lists()
    pages = read(lms, sample)

    assert ids(pages) == [list(range(start, start + SIZE)) for start in range(0, PAGES * SIZE, SIZE)]
    assert {page.total for page in pages} == {PAGES * SIZE}
    assert pages[-1].stop == "page 5 of 5"


def test_pages_after_the_last_of_the_sample_are_not_asked_for() -> None:
    lms = Lists()
    pages = read(lms, Sample(pages=2))

    assert lms.asked == ["/users?1", "/users?2"]
    assert ids(pages) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert (pages[-1].next, pages[-1].stop) == (None, "sample of 2 pages")
    assert pages[0].next is not None


def test_a_list_that_ends_before_the_sample_does_ends_as_ever() -> None:
    pages = read(Lists(), Sample(pages=9))

    assert pages[-1].stop == "page 5 of 5"


def test_a_list_that_ends_with_the_sample_gives_its_own_reason() -> None:
    assert read(Lists(), Sample(pages=PAGES))[-1].stop == "page 5 of 5"


def test_items_after_the_last_of_the_sample_are_left_out_of_each_page() -> None:
    sample = Sample(items=2)
    pages = read(Lists(), sample)

    assert ids(pages) == [[0, 1], [4, 5], [8, 9], [12, 13], [16, 17]]
    assert sample.cuts[0] == Cut("https://lms.example.com/users?page=1", "data.items", 2)
    assert len(sample.cuts) == PAGES


def test_how_a_list_goes_on_is_decided_by_the_whole_page() -> None:
    """A short page that ends the list is a short one of the LMS's, not of the sample's."""
    lms = Lists()
    read(lms, Sample(items=1), size=SIZE, short_ends=True)

    assert len(lms.asked) == PAGES


def test_a_page_that_is_not_larger_than_the_sample_is_not_cut() -> None:
    sample = Sample(items=SIZE)
    read(Lists(), sample)

    assert sample.cuts == []


def test_items_that_a_connector_finds_itself_are_cut_without_a_path() -> None:
    def items(answer: Any) -> Any:
        return answer.object()["data"]["items"]

    sample = Sample(pages=1, items=1)

    assert ids(read(Lists(), sample, items)) == [[0]]
    assert sample.cuts == [Cut("https://lms.example.com/users?page=1", None, 1)]


def test_the_total_of_the_lms_is_not_told_for_a_part_of_a_list() -> None:
    assert read(Lists(), Sample(items=2))[0].total is None
    assert read(Lists(), Sample(pages=2))[0].total is None


def test_a_list_by_links_is_cut_too() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        link = f'<{request.url.copy_set_param("page", "2")}>; rel="next"'
        return httpx.Response(200, json=[{"id": 1}, {"id": 2}], headers={"Link": link})

    async def pages() -> list[PageAnswer]:
        sample = Sample(pages=1, items=1)
        async with Http("https://lms.example.com", transport=httpx.MockTransport(answer), sample=sample) as client:
            return [page async for page in client.paged("users", None, LinkHeader())]

    assert ids(asyncio.run(pages())) == [[1]]


@pytest.mark.parametrize(
    ("sample", "most"), [(Sample(), 0), (Sample(pages=2), 0), (Sample(items=3), 0), (Sample(pages=2, items=3), 6)]
)
def test_as_many_partitions_are_read_as_a_list_of_them_would_have_items(sample: Sample, most: int) -> None:
    assert sample.partitions == most


@pytest.fixture
def shelves(shelf: Path) -> Callable[[Sample | None], tuple[list[str], list[str]]]:
    """Read an LMS of six shelves with nine loans each, three to a page; gives the ids, and what was asked for."""

    def answered(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params.get("page", 1))
        if request.url.path == "/shelves":
            found = [{"id": number, "title": "T"} for number in range(page * 2 - 1, page * 2 + 1)]
            return httpx.Response(200, json={"pages": 3, "shelves": found})
        shelf = int(request.url.path.split("/")[2])
        loans = [{"id": shelf * 100 + page * 10 + number, "reader": {"id": number}} for number in range(3)]
        return httpx.Response(200, json={"pages": 3, "total": 9, "loans": loans})

    def read(sample: Sample | None) -> tuple[list[str], list[str]]:
        asked: list[str] = []

        def noted(request: httpx.Request) -> httpx.Response:
            asked.append(f"{request.url.path}?{request.url.params.get('page')}")
            return answered(request)

        lms = connect("shelf", modules=["shelf_lms"], token="t", transport=httpx.MockTransport(noted), sample=sample)
        with lms as opened:
            return sorted(one.id for one in opened.enrollments()), sorted(asked)

    return read


def test_a_sampled_connection_reads_the_beginning_of_everything(
    shelves: Callable[[Sample | None], tuple[list[str], list[str]]],
) -> None:
    found, asked = shelves(Sample(pages=2, items=1))

    assert found == ["110", "120", "310", "320"]
    assert asked == [
        *("/shelves/1/loans?1", "/shelves/1/loans?2"),
        *("/shelves/3/loans?1", "/shelves/3/loans?2"),
        *("/shelves?1", "/shelves?2"),
    ]


def test_a_sample_of_pages_alone_keeps_every_partition_that_it_lists(
    shelves: Callable[[Sample | None], tuple[list[str], list[str]]],
) -> None:
    found, asked = shelves(Sample(pages=1))

    assert found == ["110", "111", "112", "210", "211", "212"]
    assert asked == ["/shelves/1/loans?1", "/shelves/2/loans?1", "/shelves?1"]


def test_a_connection_without_a_sample_reads_everything(
    shelves: Callable[[Sample | None], tuple[list[str], list[str]]],
) -> None:
    found, asked = shelves(None)

    assert len(found) == 54
    assert len(asked) == 3 + 6 * 3


def test_a_list_of_partitions_longer_than_the_sample_is_cut_short(
    shelves: Callable[[Sample | None], tuple[list[str], list[str]]],
) -> None:
    """One page of one item: one shelf, whatever the connector lists."""
    assert shelves(Sample(pages=1, items=1)) == (["110"], ["/shelves/1/loans?1", "/shelves?1"])
