"""Recording: what is kept reads as the LMS does, and holds no secret and nobody; else nothing is kept."""

from __future__ import annotations

import base64
import gzip
import html
import io
import json
import sys
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import httpx
import pytest
from rollbook.core.errors import AuthError, RollbookError, SettingsError, VendorError
from rollbook.core.http import no_waits, stand_in_keys
from rollbook.core.registry import registry
from rollbook.core.testing import differences, find_cases, load_case, load_har, read_case
from rollbook.core.testing.conformance.lms import RecordedLms
from rollbook.core.testing.recording.cleaning import Cleaner
from rollbook.core.testing.recording.pseudonyms import Numbered
from rollbook.core.testing.recording.record import Recorded, clean, record
from rollbook.core.testing.recording.seen import Source, outline
from rollbook.sandbox import Fault, Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FIXTURES = Path(__file__).parents[1] / "fixtures"
AS_OF = datetime(2026, 4, 1, tzinfo=UTC)
KEY = "key-9c81/+f30a77de"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0NTAxIn0.c2lnbmF0dXJlLWhlcmU"
SIGNATURE = "0123456789abcdef0123456789abcdef"


def unpacked(content: bytes) -> bytes:
    if not content.startswith(b"PK"):
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return b"".join(map(archive.read, archive.namelist()))


def written(done: Recorded) -> str:
    """Give everything that was written, also as it reads once escapes are undone."""
    text = "\n".join(file.read_text(encoding="utf-8") for file in done.files)
    bodies = [unpacked(one.content).decode() for one in load_har(done.files[0]).exchanges]
    spelled = "\n".join([text, *bodies])
    return "\n".join([spelled, html.unescape(spelled), unquote(spelled)])


# --- the sandbox, over loopback --------------------------------------------------------------------------------------

SANDBOXES: list[tuple[str, dict[str, str]]] = [
    ("talentlms", {"strategy": "users"}),
    ("talentlms", {"strategy": "courses"}),
    ("canvas", {}),
]


@pytest.fixture(params=SANDBOXES, ids=lambda one: "-".join([one[0], *one[1].values()]))
def sandbox(request: pytest.FixtureRequest) -> Iterator[tuple[Sandbox, Source]]:
    """Give a pretend LMS, and a connection to it."""
    vendor, settings = request.param
    with Sandbox(vendor) as running:
        yield running, Source("acme", vendor, {**running.settings, **settings})


def people_of(running: Sandbox, text: str) -> list[str]:
    """Name what is left of the tenant's people in a text."""
    found: list[str] = []
    for each in running.tenant.person_ids:
        person = running.tenant.person(each)
        if person is not None:
            whole = person.name if person.last_name else None
            found += [one for one in (whole, person.email, person.login) if one and one in text]
            at_home = f"/users/{each}", f"user_id:{each}", f"users/id:{each}", f'"user_id":{each},'
            found += [one for one in at_home if one in text and not person.guest]
    return found


def test_a_recorded_sandbox_holds_nobody_and_no_secret(sandbox: tuple[Sandbox, Source], tmp_path: Path) -> None:
    running, source = sandbox
    text = written(record(source, tmp_path / "acme", pages=0, items=0))
    key = running.app.vendor.key

    assert people_of(running, text) == []
    for form in (key, quote(key), base64.b64encode(key.encode()).decode().rstrip("="), running.base_url):
        assert form not in text
    assert "127.0.0.1" not in text


def test_a_recorded_sandbox_reads_as_it_did_but_for_people(sandbox: tuple[Sandbox, Source], tmp_path: Path) -> None:
    running, source = sandbox
    done = record(source, tmp_path / "acme", pages=0, items=0)
    case = load_case(done.files[0])
    again = read_case(case)
    with Sandbox(source.connector, tenant=running.tenant) as same:
        whole = record(
            Source("acme", source.connector, {**source.values, **same.settings}), tmp_path / "again", pages=0, items=0
        )

    assert differences(case.found, again) == []
    assert sum(done.statuses.values()) == len(case.enrollments) > 30
    assert whole.statuses == done.statuses
    assert {one["course"]["title"] for one in case.enrollments} <= {course.title for course in running.tenant.courses()}
    assert case.settings["base_url"] == "https://lms.example.com"
    secret = next(value for name, value in case.settings.items() if name in {"api_key", "access_token"})

    assert secret.startswith("made-up-")


def test_of_a_sample_only_what_is_read_is_recorded(sandbox: tuple[Sandbox, Source], tmp_path: Path) -> None:
    running, source = sandbox
    done = record(source, tmp_path / "acme", pages=1, items=3)
    case = load_case(done.files[0])
    lists = [json.loads(one.content) for one in case.load().exchanges if one.content.startswith(b"[")]
    emptied = sum(item == {} for items in lists for item in items)

    assert case.sample == {"pages": 1, "items": 3}
    assert differences(case.found, read_case(case)) == []
    assert case.enrollments
    assert emptied > 0
    assert people_of(running, written(done)) == []


def test_single_readings_and_the_check_are_recorded_beside_the_reading(
    sandbox: tuple[Sandbox, Source], tmp_path: Path
) -> None:
    _, source = sandbox
    done = record(source, tmp_path / "acme", pages=0, items=0)
    uses = {one.use for one in load_har(done.files[0]).exchanges}

    assert {"read", "check"} <= uses <= {"read", "check", "fetch"}
    # a user's page holds all that a single reading asks for
    assert ("fetch" in uses) is (source.values.get("strategy") != "users")


def test_a_recording_is_har_that_other_tools_read(tmp_path: Path) -> None:
    """Every member that HAR 1.2 calls mandatory is there, and of its type."""
    with Sandbox("canvas") as running:
        done = record(Source("acme", "canvas", running.settings), tmp_path / "acme", pages=1, items=2)
    log = json.loads(done.files[0].read_text(encoding="utf-8"))["log"]
    request = {"method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"}
    response = {"status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL", "headersSize"}

    assert log["version"] == "1.2"
    assert {"name", "version"} <= set(log["creator"])
    assert log["_origin"] == "recorded"
    assert "at most 1 pages and 2 items" in log["comment"]
    for entry in log["entries"]:
        assert datetime.fromisoformat(entry["startedDateTime"]).tzinfo
        assert {"time", "request", "response", "cache", "timings"} <= set(entry)
        assert request <= set(entry["request"])
        assert response | {"bodySize"} <= set(entry["response"])
        assert {"send", "wait", "receive"} <= set(entry["timings"])
        assert isinstance(entry["response"]["content"]["text"], str)
        assert entry["request"]["cookies"] == entry["response"]["cookies"] == []
        assert not {h["name"] for h in entry["request"]["headers"]} - {"accept", "content-type"}


# --- what the built-in connectors' fixtures hold, recorded as if they were real --------------------------------------

CASES = [
    pytest.param(vendor.name, file.name, id=f"{vendor.name}-{file.name.partition('.')[0]}")
    for vendor in sorted(FIXTURES.iterdir())
    for file in sorted(vendor.glob("*.har.json"))
]


@pytest.mark.parametrize(("vendor", "name"), CASES)
def test_each_built_in_connector_can_be_recorded(vendor: str, name: str, tmp_path: Path) -> None:
    """Sign-in by OAuth, tokens in forms, POST lists, other hosts: all of it is replayed with stand-ins."""
    case = load_case(FIXTURES / vendor / name)
    vault = str(tmp_path / "vault")  # for tokens that the LMS exchanges
    # a fixture's key file is the stand-in that recording makes: another one is recorded
    settings = {
        name: value.replace("made-up-", "real-") if isinstance(value, str) and value.startswith("{") else value
        for name, value in case.settings.items()
    }
    source = Source("acme", case.connector or vendor, settings, case.mapping, vault=vault)
    sample = case.sampled()
    with no_waits(), stand_in_keys():  # a fixture holds no key to sign with
        done = record(
            source,
            tmp_path / "acme",
            pages=sample.pages,
            items=sample.items,
            transport=RecordedLms(case.load().exchanges),
            clock=lambda: case.as_of,
        )
    found, text = load_case(done.files[0]), written(done)
    emails = {email["email"] for one in case.enrollments for email in one["user"]["emails"]}
    names = {one["user"]["name"] for one in case.enrollments if " " in (one["user"]["name"] or "")}

    assert differences(found.found, read_case(found)) == []
    assert sorted(one["status"] for one in found.enrollments) == sorted(one["status"] for one in case.enrollments)
    assert {one for one in emails | names if one in text} == set()


# --- a hostile LMS ---------------------------------------------------------------------------------------------------


@pytest.fixture
def campus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the connector of Campus known."""
    monkeypatch.setattr(sys, "path", [str(Path(__file__).parent / "campus"), *sys.path])
    monkeypatch.setattr(registry, "classes", {**registry.classes})
    monkeypatch.delitem(sys.modules, "campus_lms", raising=False)


ADA: dict[str, Any] = {
    "id": 4501,
    "first_name": "Ada",
    "last_name": "Lovelace",
    "email": "Ada.Lovelace@acme.edu",
    "login": "alovelace9",
    "state": "open",
    "progress": 45,
    "manager": "Grace Hopper",
    "course": {"id": 77, "title": "Health &amp; Safety"},
    "comments": [{"author": {"id": 4502, "name": "Zoë O\u2019Hara"}, "text": "Ask Ada Lovelace on 020 7946 0958"}],
}
ZOE: dict[str, Any] = {
    **ADA,
    "id": 4502,
    "first_name": "Zoë",
    "last_name": "O\u2019Hara",
    "email": "zoe@acme.edu",
    "login": "zohara",
    "state": "done",
    "manager": None,
    "comments": [],
}
BO: dict[str, Any] = {**ZOE, "id": 4999, "first_name": "美咲", "last_name": "佐藤", "email": None, "login": None}


def campus_lms(
    members: list[dict[str, Any]] | None = None, *, page: int = 3
) -> Callable[[httpx.Request], httpx.Response]:
    """Give what answers as Campus."""
    rows = [ADA, ZOE, BO] if members is None else members
    host = "https://campus.acme.edu"
    signed = f"https://files.cdn.example.net/r/7.csv?X-Amz-Signature={SIGNATURE}&X-Amz-Expires=60"

    def answer(request: httpx.Request) -> httpx.Response:
        query = parse_qs(urlsplit(str(request.url)).query)
        if request.url.host == "files.cdn.example.net":
            assert query["X-Amz-Signature"] == [SIGNATURE]
            lines = [
                "member_id,Member Name,E-mail,grade",
                *(f"{one['id']},Lovelace Ada,{one['email']},9" for one in rows),
            ]
            return httpx.Response(200, text="\n".join(lines) + "\n", headers={"content-type": "text/csv"})
        assert query["api_key"] == [KEY]
        if request.url.path == "/api/report":
            body = {"link": signed, "for": "Ada Lovelace <ada.lovelace@acme.edu>", "debug": f"Bearer {JWT}"}
            return httpx.Response(200, json=body, headers={"set-cookie": "sid=cookie-5a9d77b1; Path=/"})
        start = int(query.get("start", ["0"])[0])
        link = f'<{host}/api/members?per_page=3&start={start + page}&api_key={quote(KEY, safe="")}>; rel="next"'
        more = {"link": link} if start + page < len(rows) else {}
        return httpx.Response(200, json=rows[start : start + page], headers=more)

    return answer


def campus_source(**more: Any) -> Source:
    """Give a connection to Campus."""
    values = {"base_url": "https://campus.acme.edu", "api_key": KEY, "portal": "acme"}
    return Source("acme", "campus", values, modules=("campus_lms",), **more)


def recorded(
    tmp_path: Path, answer: Callable[[httpx.Request], httpx.Response], *, source: Source | None = None, **how: Any
) -> Recorded:
    """Record Campus."""
    how = {"pages": 0, "items": 0, "clock": lambda: AS_OF, **how}
    return record(source or campus_source(), tmp_path / "acme", transport=httpx.MockTransport(answer), **how)


@pytest.mark.usefixtures("campus")
@pytest.mark.parametrize(
    "secret",
    [
        *(KEY, quote(KEY, safe=""), JWT, SIGNATURE, "cookie-5a9d77b1", "campus.acme.edu", "cdn.example.net"),
        *(
            "lovelace",
            "Lovelace",
            "Zoë",
            "Hara",
            "佐藤",
            "美咲",
            "Hopper",
            "alovelace9",
            "zohara",
            "4501",
            "4502",
            "4999",
        ),
        *("acme.edu", "7946"),
    ],
)
def test_nothing_of_a_hostile_lms_is_left(tmp_path: Path, secret: str) -> None:
    assert secret not in written(recorded(tmp_path, campus_lms()))


@pytest.mark.usefixtures("campus")
def test_a_signed_link_is_followed_in_the_replay_and_joins_still_work(tmp_path: Path) -> None:
    done = recorded(tmp_path, campus_lms())
    case = load_case(done.files[0])

    assert [one["score"] for one in case.enrollments] == [9.0, 9.0, 9.0]
    assert [one["progress_percent"] for one in case.enrollments] == [45.0, 45.0, 45.0]
    assert {one["course"]["title"] for one in case.enrollments} == {"Health & Safety"}
    assert case.enrollments[0]["custom_fields"]["manager"].count(" ") == 1
    assert done.people == 3


@pytest.mark.usefixtures("campus")
def test_a_link_with_the_key_leads_to_the_next_page_in_the_replay(tmp_path: Path) -> None:
    done = recorded(tmp_path, campus_lms(page=1))
    asked = [one.url for one in load_har(done.files[0]).exchanges if "/members" in one.url and one.use == "read"]

    assert len(asked) == 3
    assert all("api_key=made-up-api-key" in url for url in asked)
    assert differences(load_case(done.files[0]).found, read_case(load_case(done.files[0]))) == []


@pytest.mark.usefixtures("campus")
def test_a_compressed_answer_is_recorded_as_it_reads(tmp_path: Path) -> None:
    lms = campus_lms()

    def answer(request: httpx.Request) -> httpx.Response:
        plain = lms(request)
        headers = {**plain.headers, "content-encoding": "gzip"}
        del headers["content-length"]
        return httpx.Response(plain.status_code, headers=headers, content=gzip.compress(plain.content))

    done = recorded(tmp_path, answer)
    one = next(one for one in load_har(done.files[0]).exchanges if "/members" in one.url)

    assert len(json.loads(one.content)) == 3
    assert "content-encoding" not in dict(one.headers)
    assert "Lovelace" not in written(done)


@pytest.mark.usefixtures("campus")
def test_odd_characters_and_a_port_that_goes_without_saying_are_no_hindrance(tmp_path: Path) -> None:
    source = campus_source()
    source = replace(source, values={**source.values, "base_url": "https://Campus.acme.edu:443"})
    odd = {**ADA, "course": {"id": 10**40, "title": "Half a pair \ud83d, and \u0000 nothing"}, "progress": 12.5}
    lms = campus_lms([ADA])

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/members":
            return httpx.Response(200, content=json.dumps([odd]).encode())
        return lms(request)

    case = load_case(recorded(tmp_path, answer, source=source).files[0])

    assert case.enrollments[0]["course"]["title"].startswith("Half a pair ")
    assert case.enrollments[0]["course"]["id"] == str(10**40)
    assert differences(case.found, read_case(case)) == []


@pytest.mark.usefixtures("campus")
def test_a_setting_that_names_the_tenant_is_left_out(tmp_path: Path) -> None:
    settings = load_case(recorded(tmp_path, campus_lms()).files[0]).settings

    assert settings == {"base_url": "https://lms.example.com", "api_key": "made-up-api-key"}


@pytest.mark.usefixtures("campus")
def test_items_that_the_sample_dropped_are_emptied(tmp_path: Path) -> None:
    done = recorded(tmp_path, campus_lms(), pages=1, items=1)
    body = next(json.loads(one.content) for one in load_har(done.files[0]).exchanges if "/members" in one.url)

    assert body[1:] == [{}, {}]
    assert len(load_case(done.files[0]).enrollments) == 1
    assert "learner" in body[0]["email"]


# --- when nothing is kept --------------------------------------------------------------------------------------------


def nothing_in(folder: Path) -> bool:
    """Tell whether a folder is empty, hidden files included."""
    return not list(folder.iterdir())


@pytest.mark.usefixtures("campus")
@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("_name", "somebody's name"),
        ("_email", "an e-mail address"),
        ("_secret", "a secret"),
        ("_login", "somebody's login"),
    ],
)
def test_a_recording_that_still_holds_something_is_refused(
    broken: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If cleaning were broken, the last look through the bytes would see it, and say what kind of thing, not which."""
    of = Numbered.of

    def same(_: Cleaner, value: str, *_rest: object) -> str:
        return value

    def same_address(self: Numbered, text: str) -> str:
        return text if "@" in text else of(self, text)

    monkeypatch.setattr(Cleaner, broken, same)
    if broken == "_email":
        monkeypatch.setattr(Numbered, "of", same_address)
    members: list[dict[str, Any]] = [{**ADA, "comments": []}]
    with pytest.raises(RollbookError) as caught:
        recorded(tmp_path, campus_lms(members))

    assert f"{told} would still be in the file" in str(caught.value)
    assert "lovelace" not in str(caught.value).lower()
    assert KEY not in str(caught.value)
    assert nothing_in(tmp_path)


@pytest.mark.usefixtures("campus")
def test_a_recording_that_reads_differently_is_refused(tmp_path: Path) -> None:
    """A tenant's mapping that asks for one person by name cannot be replayed without the name."""
    mapping = {"course_enrollment": {"custom_fields": {"boss": "when(one_of(member.first_name, 'Ada'), 'yes', 'no')"}}}
    with pytest.raises(RollbookError, match=r"reads differently in custom_fields\.boss"):
        recorded(tmp_path, campus_lms(), source=campus_source(mapping=mapping))

    assert nothing_in(tmp_path)


@pytest.mark.usefixtures("campus")
@pytest.mark.parametrize("failure", [httpx.ConnectError("refused"), KeyboardInterrupt()])
def test_an_interrupted_recording_leaves_nothing(failure: BaseException, tmp_path: Path) -> None:
    lms, asked = campus_lms(page=1), 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        if asked > 3:
            raise failure
        return lms(request)

    with pytest.raises((VendorError, KeyboardInterrupt)), no_waits():
        recorded(tmp_path, answer)

    assert nothing_in(tmp_path)


def test_a_refused_key_leaves_nothing(tmp_path: Path) -> None:
    with Sandbox("canvas") as running, pytest.raises(AuthError):
        record(Source("acme", "canvas", {**running.settings, "access_token": "wrong-token"}), tmp_path / "acme")

    assert nothing_in(tmp_path)


def test_a_failure_of_the_lms_that_passes_is_recorded_and_replayed(tmp_path: Path) -> None:
    with Sandbox("canvas", faults=[Fault(what="error", status=502)]) as running, no_waits():
        done = record(Source("acme", "canvas", running.settings), tmp_path / "acme", pages=1, items=2)
    statuses = [one.status for one in load_har(done.files[0]).exchanges]

    assert 502 in statuses
    assert differences(load_case(done.files[0]).found, read_case(load_case(done.files[0]))) == []


@pytest.mark.usefixtures("campus")
def test_what_is_there_already_is_only_replaced_by_force(tmp_path: Path) -> None:
    (tmp_path / "acme.expected.json").write_text("mine")
    with pytest.raises(SettingsError, match="there already"):
        recorded(tmp_path, campus_lms())

    assert (tmp_path / "acme.expected.json").read_text() == "mine"
    assert not (tmp_path / "acme.har.json").exists()

    recorded(tmp_path, campus_lms(), force=True)

    assert load_case(tmp_path / "acme.har.json").enrollments


# --- HAR files made elsewhere ----------------------------------------------------------------------------------------


def browser_har(tmp_path: Path, answer: Callable[[httpx.Request], httpx.Response], *paths: str) -> Path:
    """Write a HAR as a browser would, with pictures, sockets and its own members."""
    entries: list[dict[str, Any]] = [
        {"request": {"method": "GET", "url": "wss://campus.acme.edu/live"}, "_webSocketMessages": [{"data": "Ada"}]},
        {
            "request": {"method": "GET", "url": "https://campus.acme.edu/a.png"},
            "response": {"status": 200, "content": {"mimeType": "image/png"}},
        },
    ]
    for number, path in enumerate(paths):
        url = (
            path
            if "://" in path
            else f"https://campus.acme.edu/{path}{'&' if '?' in path else '?'}api_key={quote(KEY, safe='')}"
        )
        response = answer(httpx.Request("GET", url))
        text = response.text if number % 2 else base64.b64encode(response.content).decode()
        content = {"mimeType": response.headers["content-type"], "text": text}
        entry = {
            "_initiator": {"stack": "Ada Lovelace"},
            "startedDateTime": "2026-03-01T10:00:00.000+01:00",
            "time": 12.5,
            "request": {
                "method": "GET",
                "url": url.replace(quote(KEY, safe=""), "browser-session-key-1"),
                "headers": [{"name": ":path", "value": "/"}],
            },
            "response": {
                "status": response.status_code,
                "headers": [{"name": name, "value": value} for name, value in response.headers.items()],
                "content": content if number % 2 else {**content, "encoding": "base64"},
            },
        }
        entries.append(entry)
    file = tmp_path / "browser.har"
    file.write_text(json.dumps({"log": {"version": "1.2", "entries": entries}}))
    return file


SIGNED = f"https://files.cdn.example.net/r/7.csv?X-Amz-Signature={SIGNATURE}&X-Amz-Expires=60"


@pytest.mark.usefixtures("campus")
def test_a_browsers_har_becomes_a_case(tmp_path: Path) -> None:
    har = browser_har(tmp_path, campus_lms(), "api/report", "api/members?per_page=3", "api/other", SIGNED)
    done = record(campus_source(), tmp_path / "acme", pages=0, items=0, har=har, clock=lambda: AS_OF)
    case = load_case(done.files[0])

    assert [one["score"] for one in case.enrollments] == [9.0, 9.0, 9.0]
    assert case.settings["api_key"] == "made-up-api-key"
    assert "3 of 4 answers" in done.notes[0]
    for secret in ("Lovelace", "acme.edu", "browser-session-key-1", KEY, SIGNATURE, "4501"):
        assert secret not in written(done)


@pytest.mark.usefixtures("campus")
def test_a_har_that_is_not_enough_tells_what_is_missing(tmp_path: Path) -> None:
    har = browser_har(tmp_path, campus_lms(), "api/report", SIGNED)
    assert (
        outline("/api/v1/users/id:4501,email:a@b.c/ada/files/Ada%20L.pdf")
        == "/api/v1/users/id:...,email:.../ada/files/..."
    )
    with pytest.raises(RollbookError) as caught:
        record(campus_source(), tmp_path / "acme", har=har)

    assert "missing: GET /api/members (per_page, api_key)" in str(caught.value)
    assert "nearest: GET /api/report (api_key)" in str(caught.value)
    assert KEY not in str(caught.value)
    assert [file.name for file in tmp_path.iterdir()] == ["browser.har"]


def test_a_har_can_be_cleaned_without_a_connection(tmp_path: Path) -> None:
    har = browser_har(tmp_path, campus_lms(), "api/report", "api/members?per_page=3", SIGNED)
    done = clean(har, tmp_path / "clean")

    assert done.files == (tmp_path / "clean.har.json",)
    assert len(load_har(done.files[0]).exchanges) == 3
    assert "not replayed" in done.notes[0]
    for secret in ("Lovelace", "acme.edu", "browser-session-key-1", KEY, SIGNATURE, "4501", "7946", "_initiator"):
        assert secret not in written(done)


@pytest.mark.parametrize("text", ["no JSON", "[]", '{"log": {}}', '{"log": {"entries": []}}'])
def test_a_file_that_is_no_har_is_told(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.har").write_text(text)
    with pytest.raises(SettingsError):
        clean(tmp_path / "x.har", tmp_path / "clean")

    assert [file.name for file in tmp_path.iterdir()] == ["x.har"]


def test_there_are_fixtures_to_record() -> None:
    assert len(CASES) >= 6
    assert all(find_cases(vendor) for vendor in FIXTURES.iterdir())


@pytest.mark.usefixtures("campus")
def test_a_link_in_the_files_place_is_replaced_and_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text("mine", encoding="utf-8")
    (tmp_path / "acme.har.json").symlink_to(other)
    with pytest.raises(SettingsError):
        recorded(tmp_path, campus_lms())
    recorded(tmp_path, campus_lms(), force=True)

    assert other.read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "acme.har.json").is_symlink()


@pytest.mark.usefixtures("campus")
def test_nothing_is_written_before_it_was_looked_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever kills the program at any moment finds no file with somebody in it."""
    there: list[Path] = []

    def look(*_: object, **_more: object) -> None:
        there.extend(one for one in tmp_path.rglob("*") if one.is_file())
        raise RollbookError("something is left")

    monkeypatch.setattr("rollbook.core.testing.recording.record.look_through", look)
    with pytest.raises(RollbookError, match="something is left"):
        recorded(tmp_path, campus_lms())

    assert there == []
    assert nothing_in(tmp_path)
