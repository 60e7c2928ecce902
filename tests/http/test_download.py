"""Large bodies: within bounds, private, and never with a token at another host; what is packed in them."""

from __future__ import annotations

import gzip
import io
import os
import struct
import tempfile
import zipfile
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from rollbook.core.errors import ContractError, Gone, StoreError, VendorError
from rollbook.core.http import Answer, Bearer, Http, Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Lms, Stream

CSV = b"id,name\n1,Ana\n" * 1000
ELSEWHERE = "https://files.example.org/report.csv?signature=s1gn3d"


def fetch(lms: Lms, path: str = "reports/7", *, http: dict[str, Any] | None = None, **options: Any) -> bytes:
    async def whole(client: Http) -> bytes:
        async with client.download(path, **options) as file:
            return file.read()

    return lms.asked(whole, auth=Bearer("t0k3n"), headers={"X-Api-Key": "k3y"}, **(http or {}))


def test_a_body_is_read_from_a_file_that_has_no_name(
    lms: Lms, stream: type[Stream], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    lms.will(httpx.Response(200, stream=stream(CSV[:5000], CSV[5000:])))

    async def whole(client: Http) -> tuple[bytes, list[str]]:
        async with client.download("reports/7", {"format": "csv"}) as file:
            return file.read(), os.listdir(tmp_path)  # noqa: PTH208 - one look, between two awaits

    assert lms.asked(whole) == (CSV, [])
    assert lms.urls == ["https://lms.example.com/reports/7?format=csv"]


def test_another_attempt_begins_the_file_anew(lms: Lms, stream: type[Stream]) -> None:
    lms.will(
        httpx.Response(200, stream=stream(CSV[:5000], error=httpx.ReadError("x"))),
        httpx.Response(503, text="try later"),
        httpx.Response(200, stream=stream(CSV)),
    )

    assert fetch(lms) == CSV


def test_a_body_over_the_bound_is_given_up(lms: Lms, stream: type[Stream]) -> None:
    body = stream(*[b"x" * 1000] * 50)
    lms.will(httpx.Response(200, stream=body))
    with pytest.raises(ContractError, match="larger than"):
        fetch(lms, max_bytes=5000)

    assert body.taken == 6


@pytest.mark.parametrize("cut", [1, 2, 100])
def test_a_gzip_file_is_expanded_where_that_is_asked_for(lms: Lms, stream: type[Stream], cut: int) -> None:
    packed = gzip.compress(CSV[:3000]) + gzip.compress(CSV[3000:])
    lms.will(lambda _: httpx.Response(200, stream=stream(packed[:cut], packed[cut:])))

    assert fetch(lms, expand=True) == CSV
    assert fetch(lms) == packed


def test_zeros_behind_a_gzip_file_are_passed_over(lms: Lms, stream: type[Stream]) -> None:
    lms.will(httpx.Response(200, stream=stream(gzip.compress(CSV) + bytes(100), bytes(50))))

    assert fetch(lms, expand=True) == CSV


@pytest.mark.parametrize("body", [b"", b"x", b"\x1f", CSV])
def test_a_body_that_is_no_gzip_file_is_taken_as_it_is(lms: Lms, stream: type[Stream], body: bytes) -> None:
    lms.will(httpx.Response(200, stream=stream(body)))

    assert fetch(lms, expand=True) == body


def test_a_gzip_file_that_expands_over_the_bound_is_given_up(lms: Lms, stream: type[Stream]) -> None:
    lms.will(httpx.Response(200, stream=stream(gzip.compress(b"0" * 10_000_000))))
    with pytest.raises(ContractError, match="the file is larger than"):
        fetch(lms, expand=True, max_bytes=1_000_000)


@pytest.mark.parametrize(
    "body",
    [gzip.compress(CSV)[:-10], gzip.compress(CSV)[:20], gzip.compress(CSV) + b"rest", b"\x1f\x8b\x08" + b"?" * 50],
    ids=["cut at its end", "cut in the middle", "with something behind it", "no gzip but for its head"],
)
def test_a_damaged_gzip_file_is_not_taken_for_a_whole_one(lms: Lms, stream: type[Stream], body: bytes) -> None:
    lms.will(httpx.Response(200, stream=stream(body)))
    with pytest.raises(ContractError, match="gzip file"):
        fetch(lms, expand=True)


def test_another_host_is_asked_without_anything_that_is_ours(lms: Lms) -> None:
    lms.will(httpx.Response(200, content=CSV))

    assert fetch(lms, ELSEWHERE, other_host=True) == CSV
    assert lms.urls == [ELSEWHERE]
    assert {"authorization", "x-api-key"}.isdisjoint(lms.requests[0].headers)


def test_a_redirect_to_another_host_is_followed_without_anything_that_is_ours(lms: Lms) -> None:
    lms.will(httpx.Response(302, headers={"Location": ELSEWHERE}), httpx.Response(200, content=CSV))

    assert fetch(lms, other_host=True) == CSV
    assert lms.requests[0].headers["authorization"] == "Bearer t0k3n"
    assert {"authorization", "x-api-key"}.isdisjoint(lms.requests[1].headers)
    assert lms.requests[1].headers["host"] == "files.example.org"


@pytest.mark.parametrize("address", [ELSEWHERE, "http://lms.example.com/x"])
def test_another_host_has_to_be_asked_for(lms: Lms, address: str) -> None:
    with pytest.raises(ContractError, match="another host"):
        fetch(lms, address)

    assert lms.requests == []


def test_another_host_is_not_asked_without_encryption(lms: Lms) -> None:
    with pytest.raises(ContractError, match="another host"):
        fetch(lms, "http://files.example.org/x", other_host=True)

    assert lms.requests == []


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_of_another_host_says_nothing_about_our_credentials(lms: Lms, status: int) -> None:
    lms.will(httpx.Response(status))
    with pytest.raises(VendorError, match="the download is not there") as caught:
        fetch(lms, ELSEWHERE, other_host=True)

    assert "s1gn3d" not in str(caught.value)
    assert len(lms.requests) == 1


def test_the_connectors_verdict_sees_the_beginning_of_the_body(lms: Lms, stream: type[Stream]) -> None:
    def verdict(answer: Answer) -> Verdict | None:
        return Verdict.throttled("not ready yet", after=2.0) if answer.text().startswith("not ready") else None

    lms.will(httpx.Response(200, text="not ready"), httpx.Response(200, stream=stream(CSV)))

    assert fetch(lms, http={"verdict": verdict}) == CSV


def test_the_connectors_verdict_sees_the_whole_body_of_a_refusal(lms: Lms) -> None:
    def verdict(answer: Answer) -> Verdict | None:
        return Verdict.fail(Gone, "no such report") if answer.find("code") == "gone" else None

    lms.will(httpx.Response(400, json={"trace": "x" * 5000, "code": "gone"}))
    with pytest.raises(Gone):
        fetch(lms, http={"verdict": verdict})


def test_a_login_page_is_not_taken_for_the_file(lms: Lms) -> None:
    lms.will(httpx.Response(200, html="<html>Log in</html>"))
    with pytest.raises(ContractError, match="web page"):
        fetch(lms)


def test_a_full_disk_is_a_store_error(lms: Lms, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def write(self, chunk: bytes) -> int:
            raise OSError(28, "No space left on device")

        def seek(self, place: int) -> None: ...
        def truncate(self) -> None: ...
        def close(self) -> None: ...

    monkeypatch.setattr(tempfile, "TemporaryFile", Full)
    lms.will(httpx.Response(200, content=CSV))
    with pytest.raises(StoreError, match="No space left on device"):
        fetch(lms)


def zipped(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return made.getvalue()


ZIP = zipped(("folder/", b""), ("report.csv", CSV))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_one_file_of_a_zip_file_is_taken_out_where_that_is_asked_for(
    lms: Lms, stream: type[Stream], method: int
) -> None:
    packed = zipped(("report.csv", CSV), method=method)
    lms.will(lambda _: httpx.Response(200, stream=stream(packed[:1], packed[1:100], packed[100:])))

    assert fetch(lms, expand=True) == CSV
    assert fetch(lms) == packed


def test_a_zip_file_with_a_comment_and_a_folder_is_one_all_the_same(lms: Lms) -> None:
    made = io.BytesIO(ZIP)
    with zipfile.ZipFile(made, "a") as archive:
        archive.comment = b"made at night"
    lms.will(httpx.Response(200, content=made.getvalue()))

    assert fetch(lms, expand=True) == CSV


def test_what_is_in_a_zip_file_leaves_nothing_behind(lms: Lms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    lms.will(httpx.Response(200, content=ZIP))

    assert fetch(lms, expand=True) == CSV
    assert list(tmp_path.iterdir()) == []


def test_a_zip_file_that_expands_over_the_bound_is_given_up(lms: Lms) -> None:
    bomb = zipped(("zeros", bytes(50_000_000)))
    lms.will(httpx.Response(200, content=bomb))
    with pytest.raises(ContractError, match="the file is larger than"):
        fetch(lms, expand=True, max_bytes=1_000_000)

    assert len(bomb) < 100_000


def test_a_zip_file_that_lies_about_its_size_is_given_up(lms: Lms) -> None:
    """The sizes that a zip file tells are not believed: what comes out is counted."""
    bomb = bytearray(zipped(("zeros", bytes(5_000_000))))
    for signature, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", bomb, bomb.rfind(signature) + place, 10)
    lms.will(httpx.Response(200, content=bytes(bomb)))
    with pytest.raises(ContractError, match=r"damaged|larger"):
        fetch(lms, expand=True, max_bytes=1_000_000)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (ZIP[:-1], "ends before its end"),
        (ZIP[: len(ZIP) // 2], "ends before its end"),
        (ZIP[:120] + b"?" + ZIP[121:], "is damaged"),
        (zipped(("a.csv", b"a"), ("b.csv", b"b")), "holds 2 files"),
        (zipped(("folder/", b""), ("other/", b"")), "holds 0 files"),
        (zipped(("a.csv", CSV), method=zipfile.ZIP_LZMA), "by a method that is not known"),
        (zipped(*((f"{number}.csv", b"") for number in range(101))), "holds too many files"),
        (b"PK\x03\x04" + bytes(100), "ends before its end"),
    ],
    ids=["cut", "half", "changed", "two", "none", "lzma", "many", "only a head"],
)
def test_a_zip_file_that_is_not_one_whole_file_is_told(lms: Lms, body: bytes, text: str) -> None:
    lms.will(httpx.Response(200, content=body))
    with pytest.raises(ContractError, match=text):
        fetch(lms, expand=True)


def test_an_encrypted_zip_file_is_told(lms: Lms) -> None:
    body = bytearray(ZIP)
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        body[body.rfind(signature) + place] |= 1
    lms.will(httpx.Response(200, content=bytes(body)))
    with pytest.raises(ContractError, match="encrypted"):
        fetch(lms, expand=True)


def test_a_list_of_files_beyond_every_bound_is_not_read(lms: Lms) -> None:
    """Also where the larger record of zip files beyond 4 GiB tells its length."""
    end = ZIP.rfind(b"PK\x05\x06")
    record = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, 1 << 40, 0)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
    lms.will(httpx.Response(200, content=ZIP[:end] + record + locator + ZIP[end:]))
    with pytest.raises(ContractError, match="too many files"):
        fetch(lms, expand=True)
