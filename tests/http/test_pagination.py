"""Lists are read to their end, say why they ended, and can be taken up where they stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from rollbook.core.errors import ContractError, CursorExpired
from rollbook.core.http import (
    Answer,
    Cursor,
    Http,
    LinkHeader,
    NextLink,
    Offset,
    PageAnswer,
    PageNumber,
    Paginator,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Lms

ROWS = [{"id": number} for number in range(1, 8)]


def ids(pages: list[PageAnswer]) -> list[Any]:
    return [item["id"] for page in pages for item in page.items]


def read(lms: Lms, paginator: Paginator, path: str = "courses", params: Any = None, **options: Any) -> list[PageAnswer]:
    async def pages(http: Http) -> list[PageAnswer]:
        return [page async for page in http.paged(path, params, paginator, **options)]

    return lms.asked(pages)


def by_offset(
    param: str = "offset", size: str = "limit", most: int = 1000, wrap: Callable[[list[Any]], Any] = list
) -> Callable[[httpx.Request], httpx.Response]:
    """A server that cuts its seven rows by offset and gives at most `most` of them."""

    def answer(request: httpx.Request) -> httpx.Response:
        start = int(request.url.params.get(param, 0))
        wanted = min(int(request.url.params.get(size, 2)), most)
        return httpx.Response(200, json=wrap(ROWS[start : start + wanted]), headers={"X-Total-Count": "7"})

    return answer


def by_page(*, bare: bool = False, **said: Any) -> Callable[[httpx.Request], httpx.Response]:
    """A server with four pages of up to two rows, which says some more things beside them."""

    def answer(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params["page"])
        rows = ROWS[2 * page - 2 : 2 * page]
        return httpx.Response(200, json=rows if bare else {"items": rows, **said})

    return answer


def flagged(no: Any) -> Callable[[httpx.Request], httpx.Response]:
    """The same, with a flag that says whether there is more."""
    return lambda request: by_page(more=request.url.params["page"] != "4" or no)(request)


def links(url: Callable[[int], str]) -> Callable[[httpx.Request], httpx.Response]:
    """A server whose pages of three rows name the next one in a Link header."""

    def answer(request: httpx.Request) -> httpx.Response:
        start = int(request.url.params.get("after", 0))
        headers = {"link": f'<https://lms.example.com/first>; rel="first", <{url(start + 3)}>; rel="next"'}
        return httpx.Response(200, json=ROWS[start : start + 3], headers=headers if start + 3 < len(ROWS) else {})

    return answer


# Link header


@pytest.mark.parametrize(
    "host", ["https://lms.example.com", "https://lms.example.com:443", "HTTPS://LMS.example.COM", ""]
)
def test_link_headers_are_followed_to_the_last_page(lms: Lms, host: str) -> None:
    lms.will(links(lambda start: f"{host}/api/courses?after={start}&per_page=3"))
    pages = read(lms, LinkHeader(), "api/courses", {"per_page": 3})

    assert ids(pages) == [1, 2, 3, 4, 5, 6, 7]
    assert [page.stop for page in pages] == ["", "", "no next link"]
    assert [page.next for page in pages] == ["/api/courses?after=3&per_page=3", "/api/courses?after=6&per_page=3", None]


def test_a_link_is_asked_for_as_it_stands(lms: Lms) -> None:
    lms.will(
        httpx.Response(
            200, json=[{"id": 1}], headers={"Link": '</api/list?page=bookmark%3AWyJhIl0%3D&x[]=1>; rel="next"'}
        ),
        httpx.Response(200, json=[]),
    )
    read(lms, LinkHeader(), "api/list", {"q": "own"})

    assert lms.requests[1].url.raw_path == b"/api/list?page=bookmark%3AWyJhIl0%3D&x[]=1"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example.org/x",
        "http://lms.example.com/x",
        "https://lms.example.com:8443/x",
        "//evil.example.org/x",
    ],
)
def test_a_link_to_another_host_is_refused_before_any_request(lms: Lms, elsewhere: str) -> None:
    lms.will(links(lambda start: f"{elsewhere}?after={start}"))
    with pytest.raises(ContractError, match="leads to another host"):
        read(lms, LinkHeader())

    assert len(lms.requests) == 1


def test_with_any_host_only_path_and_query_of_a_link_count(lms: Lms) -> None:
    lms.will(links(lambda start: f"http://internal:8000/api/list?after={start}"))

    assert ids(read(lms, LinkHeader(any_host=True))) == [1, 2, 3, 4, 5, 6, 7]
    assert {request.url.host for request in lms.requests} == {"lms.example.com"}


def test_secrets_in_a_link_do_not_get_into_the_cursor(lms: Lms) -> None:
    lms.will(links(lambda start: f"/list?access_token=s3cr3t&after={start}&API_KEY=s3cr3t"))
    pages = read(lms, LinkHeader())

    assert pages[0].next == "/list?after=3"


def test_a_link_with_a_login_in_it_does_not_send_that_login(lms: Lms) -> None:
    lms.will(links(lambda start: f"https://u:pw@lms.example.com/list?after={start}"))
    read(lms, LinkHeader())

    assert all("authorization" not in request.headers for request in lms.requests)


@pytest.mark.parametrize("cursor", ["https://evil.example.org/x", "//evil.example.org/x", 7, {"page": 1}])
def test_a_cursor_that_is_no_link_is_expired(lms: Lms, cursor: Any) -> None:
    with pytest.raises(CursorExpired):
        read(lms, LinkHeader(), start=cursor)

    assert lms.requests == []


# links in the body


@pytest.mark.parametrize(
    "keys",
    [["next"], ["links", "next"], ["@odata.nextLink"], ["d", "@odata.nextLink"], ["paging", "nextPage"]],
    ids=".".join,
)
@pytest.mark.parametrize("end", [None, ""])
def test_links_in_the_body_are_followed(lms: Lms, keys: list[str], end: str | None) -> None:
    def body(rows: list[dict[str, int]], link: str | None) -> httpx.Response:
        inner: Any = link
        for key in reversed(keys):
            inner = {key: inner}
        return httpx.Response(200, json={"results": rows, **inner})

    lms.will(body(ROWS[:4], "/api/list?offset=4"), body(ROWS[4:], end))
    pages = read(lms, NextLink(".".join(keys)), "api/list", items="results")

    assert ids(pages) == [1, 2, 3, 4, 5, 6, 7]
    assert pages[-1].stop == "no next link"


def test_the_first_of_several_places_that_is_there_counts(lms: Lms) -> None:
    lms.will(
        httpx.Response(200, json={"results": ROWS[:4], "pagination": {"next": "?offset=4"}}),
        httpx.Response(200, json={"results": ROWS[4:], "pagination": {"next": None}}),
    )

    assert len(read(lms, NextLink("next", "pagination.next"), "api/list", items="results")) == 2
    assert lms.urls[1] == "https://lms.example.com/api/list?offset=4"


def test_a_next_link_that_is_no_text_is_no_link(lms: Lms) -> None:
    lms.will(httpx.Response(200, json={"results": [], "next": 7}))
    with pytest.raises(ContractError, match="expected a link at next"):
        read(lms, NextLink("next"), items="results")


# page numbers


def test_an_empty_page_ends_page_numbers(lms: Lms) -> None:
    lms.will(by_page())
    pages = read(lms, PageNumber("page", "page_size", 2), items="items")

    assert ids(pages) == [1, 2, 3, 4, 5, 6, 7]
    assert pages[-1].stop == "empty page"
    assert lms.urls[0] == "https://lms.example.com/courses?page_size=2&page=1"


def test_a_short_page_ends_them_only_where_that_is_said(lms: Lms) -> None:
    lms.will(by_page())
    pages = read(lms, PageNumber("page", "page_size", 2, short_ends=True), items="items")

    assert ids(pages) == [1, 2, 3, 4, 5, 6, 7]
    assert pages[-1].stop == "short page"
    assert len(lms.requests) == 4


def test_the_number_of_pages_ends_them_even_where_the_last_page_is_given_for_ever(lms: Lms) -> None:
    lms.will(by_page(meta={"totalPages": 4}))
    pages = read(lms, PageNumber(pages="meta.totalPages"), items="items")

    assert ids(pages) == [1, 2, 3, 4, 5, 6, 7]
    assert pages[-1].stop == "page 4 of 4"
    assert len(lms.requests) == 4


def test_pages_that_are_counted_from_zero_are_counted_right(lms: Lms) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params["_offset"])
        return httpx.Response(200, json={"users": ROWS[3 * page : 3 * page + 3], "pages": "3"})

    lms.will(answer)
    pages = read(lms, PageNumber("_offset", "_limit", 3, first=0, pages="pages"), items="users")

    assert ids(pages) == [1, 2, 3, 4, 5, 6, 7]
    assert pages[-1].stop == "page 3 of 3"


@pytest.mark.parametrize("no", [False, 0, "false", "0", "False", ""])
def test_a_flag_ends_them_in_whatever_form_it_comes(lms: Lms, no: Any) -> None:
    lms.will(flagged(no))
    pages = read(lms, PageNumber(more="more"), items="items")

    assert ids(pages) == [1, 2, 3, 4, 5, 6, 7]
    assert pages[-1].stop == "no more pages"


def test_a_flag_may_stand_in_a_header(lms: Lms) -> None:
    lms.will(
        httpx.Response(200, json=ROWS[:5], headers={"LU-Has-Next-Page": "true"}),
        httpx.Response(200, json=ROWS[5:], headers={"LU-Has-Next-Page": "false"}),
    )

    assert ids(read(lms, PageNumber(more="header:lu-has-next-page"))) == [1, 2, 3, 4, 5, 6, 7]


def test_an_empty_page_ends_them_where_the_flag_is_stuck(lms: Lms) -> None:
    lms.will(by_page(more=True))

    assert read(lms, PageNumber(more="more"), items="items")[-1].stop == "empty page"


def test_a_search_that_the_lms_keeps_is_carried_along_and_is_part_of_the_cursor(lms: Lms) -> None:
    lms.will(by_page(cursor="a1b2", total="7"))
    paginator = PageNumber(carry={"cursor": "cursor"}, count="total")
    pages = read(lms, paginator, items="items")

    assert pages[0].next == {"page": 2, "cursor": "a1b2"}
    assert pages[0].total == 7
    assert lms.urls[1] == "https://lms.example.com/courses?page=2&cursor=a1b2"
    assert ids(read(lms, paginator, items="items", start=pages[0].next)) == [3, 4, 5, 6, 7]


def test_paging_parameters_may_stand_in_the_path(lms: Lms) -> None:
    lms.will(httpx.Response(200, json=ROWS), httpx.Response(200, json=[]))
    read(
        lms,
        PageNumber("page_number", "page_size", 100),
        "users/page_size:{page_size},page_number:{page_number}",
        {"other": "x"},
    )

    assert lms.urls == [
        "https://lms.example.com/users/page_size:100,page_number:1?other=x",
        "https://lms.example.com/users/page_size:100,page_number:2?other=x",
    ]


# offsets


def test_an_empty_page_ends_offsets(lms: Lms) -> None:
    lms.will(by_offset())
    pages = read(lms, Offset(size=3))

    assert ids(pages) == [1, 2, 3, 4, 5, 6, 7]
    assert [page.next for page in pages] == [3, 6, 7, None]
    assert pages[-1].stop == "empty page"


def test_a_server_that_gives_fewer_than_it_was_asked_for_loses_nothing(lms: Lms) -> None:
    lms.will(by_offset(most=2))

    assert ids(read(lms, Offset(size=5000))) == [1, 2, 3, 4, 5, 6, 7]


def test_a_server_that_filters_pages_is_stepped_through_by_size(lms: Lms) -> None:
    def visible(rows: list[dict[str, int]]) -> list[dict[str, int]]:
        return [row for row in rows if row["id"] % 2]

    lms.will(by_offset("limitfrom", "limitnumber", wrap=visible))

    assert ids(read(lms, Offset("limitfrom", "limitnumber", 3, step="size"))) == [1, 3, 5, 7]


@pytest.mark.parametrize("count", ["header:X-Total-Count", "paging.total"])
def test_a_total_ends_them_without_a_request_more(lms: Lms, count: str) -> None:
    lms.will(by_offset(wrap=lambda rows: {"rows": rows, "paging": {"total": 7}}))
    pages = read(lms, Offset(size=3, count=count), items="rows")

    assert ids(pages) == [1, 2, 3, 4, 5, 6, 7]
    assert pages[-1].stop == "all of 7"
    assert {page.total for page in pages} == {7}
    assert len(lms.requests) == 3


def test_a_link_to_a_next_page_outvotes_the_total_but_is_not_followed(lms: Lms) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        start = int(request.url.params["offset"])
        rows = ROWS[start : start + 3]
        more = {"Link": '<https://elsewhere.example.org/rows>; rel="next"'} if start + len(rows) < len(ROWS) else {}
        return httpx.Response(200, json=rows, headers={"X-Total-Count": str(len(rows)), **more})

    lms.will(answer)
    pages = read(lms, Offset(size=3, count="header:X-Total-Count", next_link=True))

    assert ids(pages) == [1, 2, 3, 4, 5, 6, 7]
    assert {request.url.host for request in lms.requests} == {"lms.example.com"}
    assert len(lms.requests) == 3


def test_with_post_the_parameters_go_into_the_form(lms: Lms) -> None:
    lms.will(httpx.Response(200, json=ROWS), httpx.Response(200, json=[]))
    options = Offset("options[0][value]", "options[1][value]", 50)
    read(lms, options, "webservice/rest/server.php", method="POST", form={"wsfunction": "core_list", "empty": None})

    assert dict(httpx.QueryParams(lms.requests[1].content.decode())) == {
        "wsfunction": "core_list",
        "options[0][value]": "7",
        "options[1][value]": "50",
    }
    assert lms.urls == ["https://lms.example.com/webservice/rest/server.php"] * 2


# tokens


def test_a_token_is_passed_back_until_there_is_none(lms: Lms) -> None:
    lms.will(
        httpx.Response(200, json={"students": ROWS[:3], "nextPageToken": "CAI=="}),
        httpx.Response(200, json={"students": [], "nextPageToken": "CAM=="}),
        httpx.Response(200, json={"students": ROWS[3:], "nextPageToken": ""}),
    )
    pages = read(lms, Cursor("pageToken", "nextPageToken", size_param="pageSize", size=30), items="students")

    assert ids(pages) == [1, 2, 3, 4, 5, 6, 7]
    assert pages[-1].stop == "no next token"
    assert lms.urls[1] == "https://lms.example.com/courses?pageSize=30&pageToken=CAI%3D%3D"


def test_a_bookmark_on_the_last_page_is_passed_over(lms: Lms) -> None:
    lms.will(
        httpx.Response(200, json={"PagingInfo": {"Bookmark": "4", "HasMoreItems": True}, "Items": ROWS[:4]}),
        httpx.Response(200, json={"PagingInfo": {"Bookmark": "7", "HasMoreItems": False}, "Items": ROWS[4:]}),
    )
    pages = read(lms, Cursor("bookmark", "PagingInfo.Bookmark", more="PagingInfo.HasMoreItems"), items="Items")

    assert ids(pages) == [1, 2, 3, 4, 5, 6, 7]
    assert pages[-1].stop == "no more pages"


# laws


@pytest.mark.parametrize(
    ("paginator", "server"),
    [
        (LinkHeader(), links(lambda start: f"/courses?after={start}")),
        (Offset(size=2), by_offset()),
        (PageNumber(), by_page(bare=True)),
        (PageNumber(short_ends=True, size=2), by_page(bare=True)),
    ],
    ids=["links", "offset", "pages", "short pages"],
)
def test_going_on_from_any_page_gives_what_an_uninterrupted_read_gives(
    lms: Lms, paginator: Paginator, server: Callable[[httpx.Request], httpx.Response]
) -> None:
    lms.will(server)
    whole = read(lms, paginator)

    for number, page in enumerate(whole[:-1], start=1):
        assert ids(whole[:number]) + ids(read(lms, paginator, start=page.next)) == ids(whole)


def test_a_list_that_gives_the_same_page_again_is_an_error_not_an_endless_loop(lms: Lms) -> None:
    lms.will(httpx.Response(200, json=ROWS))
    with pytest.raises(ContractError, match="the list repeats itself"):
        read(lms, Offset(size=7))

    assert len(lms.requests) == 2


def test_links_in_a_circle_are_an_error_even_if_the_pages_are_empty(lms: Lms) -> None:
    def circle(request: httpx.Request) -> httpx.Response:
        other = "a" if request.url.params.get("at") == "b" else "b"
        return httpx.Response(200, json=[], headers={"Link": f'</list?at={other}>; rel="next"'})

    lms.will(circle)
    with pytest.raises(ContractError, match="the list repeats itself"):
        read(lms, LinkHeader())


def test_a_list_that_is_something_else_says_what_was_found(lms: Lms) -> None:
    lms.will(httpx.Response(200, json={"data": {"items": {"id": "ana@example.com"}}}))
    with pytest.raises(ContractError) as caught:
        read(lms, PageNumber(), items="data.items")

    assert str(caught.value) == "GET /courses: expected a list at data.items, found an object"


def test_items_can_be_found_by_a_function(lms: Lms) -> None:
    def users(answer: Answer) -> list[dict[str, Any]]:
        return answer.items("users") if "users" in answer.object() else []

    lms.will(httpx.Response(200, json={"users": ROWS}), httpx.Response(200, json={}))

    assert ids(read(lms, PageNumber(), items=users)) == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("paginator", [PageNumber(), Offset(), Cursor("at", "next")], ids=["page", "offset", "token"])
def test_a_cursor_of_another_kind_of_list_is_expired(lms: Lms, paginator: Paginator) -> None:
    with pytest.raises(CursorExpired):
        read(lms, paginator, start=["odd"])
