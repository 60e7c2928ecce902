"""CSV files as native records: every row, as it stands, or an error."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from rollbook.core.errors import ContractError, Gone
from rollbook.core.http.rows import BATCH, read_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rollbook.core.http import Http

    from .conftest import Lms


def rows(body: bytes, columns: Sequence[str] = ()) -> list[dict[str, Any]]:
    with io.BytesIO(body) as file:
        return [row for batch in read_rows(file, "GET /report", columns) for row in batch]


def test_rows_are_objects_by_the_names_in_the_first_line() -> None:
    assert rows(b"Id,Name\r\n7,Ana\r\n8,\r\n") == [{"Id": "7", "Name": "Ana"}, {"Id": "8", "Name": ""}]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_byte_order_mark_is_no_part_of_the_first_name(mark: bytes) -> None:
    assert rows(mark + "Id\nÆ\n".encode()) == [{"Id": "Æ"}]


def test_quotes_hold_commas_quotes_and_lines() -> None:
    assert rows(b'Id,Name\n7,"Law, ""order""\nand more"\n') == [{"Id": "7", "Name": 'Law, "order"\nand more'}]


@pytest.mark.parametrize("body", [b"Id,Name\n", b"Id,Name", b"Id,Name\n\n\n"])
def test_a_file_without_rows_has_none(body: bytes) -> None:
    assert rows(body) == []


def test_only_the_wanted_columns_are_kept() -> None:
    assert rows(b"New,Name,Id\nx,Ana,7\n", ["Id", "Name"]) == [{"Id": "7", "Name": "Ana"}]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "no line with the names"),
        (b"\n7\n", "no line with the names"),
        (b"Id,Id\n7,8\n", "two columns of the file have the same name"),
        (b"Name\nAna\n", "no column Id and no Role"),
        (b"Id,Role\n7,a\n8\n", "row 2 has 1 columns, the first line names 2"),
        (b"Id,Role\n7,a,b\n", "row 1 has 3 columns, the first line names 2"),
        (b'Id,Role\n7,"a\n', "no proper CSV"),
        (b'Id,Role\n7,"a"b\n', "no proper CSV"),
        (b"Id,Role\n7,\xff\n", "not in UTF-8"),
        (b"Id,Role\n7," + b"x" * 200_000 + b"\n", "no proper CSV"),
    ],
)
def test_what_is_no_such_file_is_told_without_a_value_of_it(body: bytes, text: str) -> None:
    with pytest.raises(ContractError, match=text) as raised:
        rows(body, ["Id", "Role"] if b"Id,Id" not in body else ())

    assert raised.value.where == "GET /report"
    assert "xxx" not in str(raised.value)


def test_a_long_file_comes_in_batches() -> None:
    body = b"Id\n" + b"".join(b"%d\n" % number for number in range(2 * BATCH + 1))
    with io.BytesIO(body) as file:
        batches = list(read_rows(file, ""))

    assert [len(batch) for batch in batches] == [BATCH, BATCH, 1]
    assert [row["Id"] for batch in batches for row in batch] == [str(number) for number in range(2 * BATCH + 1)]


def zipped(content: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("report.csv", content)
    return made.getvalue()


async def some(http: Http, most: int = 1_000_000) -> list[Any]:
    found: list[Any] = []
    batches = http.rows("reports/7", {"format": "csv"}, columns=["Id"])
    async for batch in batches:
        found += batch
        if len(found) >= most:
            await batches.aclose()
            break
    return found


@pytest.mark.parametrize("pack", [bytes, zipped])
def test_a_download_is_read_row_by_row_whether_it_is_packed_or_not(lms: Lms, pack: Any) -> None:
    lms.will(httpx.Response(200, content=pack(b"\xef\xbb\xbfId,Name\n7,Ana\n8,Ben\n")))

    assert lms.asked(some) == [{"Id": "7"}, {"Id": "8"}]
    assert lms.urls == ["https://lms.example.com/reports/7?format=csv"]


def test_a_download_may_be_left_in_the_middle(lms: Lms) -> None:
    body = zipped(b"Id\n" + b"7\n" * 3 * BATCH)
    lms.will(httpx.Response(200, content=body))

    assert len(lms.asked(lambda http: some(http, most=1))) == BATCH


def test_a_row_that_is_none_is_told_with_the_request(lms: Lms) -> None:
    lms.will(httpx.Response(200, content=b"Id,Name\n7\n"))
    with pytest.raises(ContractError, match="row 1 has 1 columns") as raised:
        lms.asked(some)

    assert raised.value.where == "GET /reports/7"


def test_a_download_that_is_not_there_is_gone(lms: Lms) -> None:
    lms.will(httpx.Response(404))
    with pytest.raises(Gone):
        lms.asked(some)
