"""Cleaning: where people and secrets hide, and what is left alone."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import zipfile
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

import pytest
from rollbook.core.errors import RollbookError
from rollbook.core.testing.recording.bodies import PAGE, is_api, walked
from rollbook.core.testing.recording.cleaning import Cleaner
from rollbook.core.testing.recording.people import People
from rollbook.core.testing.recording.proof import differing, look_through
from rollbook.core.testing.recording.recorder import Taken
from rollbook.core.testing.recording.tenant import known_secrets

HOST = "https://acme.lms.io"
SECRET = "s3cret/key+of-acme"
USERS: list[dict[str, Any]] = [
    {"id": 4501, "first_name": "Ada", "last_name": "Lovelace", "email": "ada.lovelace@acme.com", "login": "alovelace9"},
    {"id": "4502", "firstName": "Zoë", "lastName": "O\u2019Hara", "mail": "zoe@acme.com", "username": "zohara"},
    {"id": 4503, "given_name": "美咲", "family_name": "佐藤", "email": None, "login": "E-4503"},
]


def taken(body: Any, url: str = f"{HOST}/api/users", kind: str = "application/json", **more: Any) -> Taken:
    """Make an exchange."""
    content = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    headers = [("content-type", kind), *more.pop("headers", ())]
    return Taken(
        "GET", url, more.pop("sent", []), more.pop("posted", b""), datetime.now(UTC), 200, headers, content, **more
    )


def cleaned(*exchanges: Taken) -> list[Taken]:
    """Clean exchanges, after the list of users."""
    known = taken(USERS)
    people = People()
    for one in (known, *exchanges):
        people.headers(one)
        walked(people, one)
    cleaner = Cleaner(people, ("https", "acme.lms.io"), {SECRET: "made-up-api-key"})
    return [walked(cleaner, one) for one in (known, *exchanges)]


def of(body: Any, **more: Any) -> Any:
    """Clean one JSON body."""
    return json.loads(cleaned(taken(body, **more))[1].content)


def stand_ins() -> list[dict[str, Any]]:
    """Give what stands for the users."""
    return json.loads(cleaned()[0].content)


BOOKMARK = base64.urlsafe_b64encode(b'["Lovelace, Ada",4501]').decode().rstrip("=")
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0NTAxIn0.c2lnbmF0dXJlLWhlcmU"

HOSTILE: dict[str, Any] = {
    "HTML": {"html": "<p>Well done <b>Ada Lovelace</b></p>"},
    "escaped HTML": {"text": "&lt;b&gt;O&#8217;Hara, Zo&euml;&lt;/b&gt;"},
    "capitals": {"text": "LOVELACE, ADA"},
    "JSON in a text": {"blob": json.dumps({"deeper": json.dumps({"who": "Ada Lovelace", "user_id": 4501})})},
    "escapes in a text": {"text": "Zo\\u00eb O\\u2019Hara"},
    "base64": {"data": base64.b64encode(b'{"mail":"ada.lovelace@acme.com"}').decode()},
    "a bookmark": {"next": f"{HOST}/api/users?page=bookmark:{BOOKMARK}"},
    "an address": {"url": f"{HOST}/users/4501?mail=ada.lovelace%40acme.com&name=Ada+Lovelace"},
    "an address by name": {"url": f"{HOST}/people/alovelace9/4501/Ada%20Lovelace.pdf"},
    "TalentLMS's pieces": {"url": f"{HOST}/course/course_id:7,user_id:4501,email:ada.lovelace@acme.com"},
    "a comment": {"comments": [{"author": {"id": 4502, "name": "Zoë O\u2019Hara"}, "text": "I am ill, says Zoë"}]},
    "a note": {"user_id": 4501, "notes": "call 020 7946 0958"},
    "a phone": {"user": {"phone": "+44 20 7946 0958", "mobile": 7946095800}},
    "an address of a home": {"user": {"id": 4501, "address": {"street": "12 St James Square", "city": "London"}}},
    "a birthday": {"user": {"birthday": "1985-12-10", "dob": "10/12/1985"}},
    "an avatar": {"user": {"avatar": "https://cdn.io/7946/ada.png"}},
    "a network address": {"last_ip": "81.2.69.142", "text": "from 81.2.69.142"},
    "a field of the tenant's": {"user": {"id": 4501, "custom_field_3": "Cost centre 7946"}},
    "fields by name": {"user": {"email": "x@y.io", "customfields": [{"name": "Shoe", "value": "size 7946"}]}},
    "a value named beside it": {"fields": [{"name": "home_phone", "value": "7946 0958"}]},
    "a key that is somebody": {"by_mail": {"ada.lovelace@acme.com": {"score": 1}}},
    "a key that is an id": {"grades": {"4501": 7, "4502": 8}},
    "a manager by name": {"manager": "Ada Lovelace", "manager_name": "Ada Lovelace", "approved_by": "zohara"},
    "a name in a member nobody knows": {
        "users": [{"id": 4501, "email": "x@y.io", "reports_to": "Grace Hopper", "line_manager_display": "Grace Hopper"}]
    },
    "a name in parts, in an object": {
        "number": 71,
        "name": {"given": "Grace", "family": "Hopper"},
        "text": "Grace Hopper",
    },
    "a name in parts that say name": {"number": 71, "name": {"given_name": "Zoë", "other": "James"}, "mail": "x@y.io"},
    "a person under no name that is known": {"who": {"given": "London", "family": "Hopper"}},
    "a name in short parts": {"members": [{"memberId": "m-1", "first": "Zoë", "last": "Hara", "mail": "x@y.io"}]},
    "a short name": {"users": [{"id": 4501, "name": "A. Lovelace"}]},
    "Japanese without a blank": {"text": "佐藤美咲さんの修了証"},
    "a title with a whole name": {"title": "Coaching of Ada Lovelace"},
    "a login": {"text": "sign in as ALovelace9", "created_by": "alovelace9"},
    "a token": {"token": "tok-7946-abcdefgh", "nested": {"apiKey": "key-7946-abcdefgh"}},
    "a token by value": {"text": f"key={SECRET}", "pct": "k=s3cret%2Fkey%2Bof-acme"},
    "the key in base64": {"header": base64.b64encode(f"{SECRET}:".encode()).decode()},
    "a JWT": {"text": f"token {JWT}", "id": JWT},
    "a bearer": {"debug": "Authorization: Bearer abcdef7946abcdef7946"},
    "a signed link": {
        "file": "https://b.s3.amazonaws.com/a.csv?X-Amz-Credential=AKIA7946/x&X-Amz-Signature=7946abcdef"
    },
    "a shared link": {"file": "https://x.blob.core.windows.net/c/a.csv?sv=2022&se=2026&sig=7946%2Babc%3D"},
    "a login link": {"autologin": f"{HOST}/index/autologin/key:7946abcdef7946abcdef"},
    "a password in an address": {"url": "https://ada:hunter7946@acme.lms.io/x"},
    "a picture in the text": {"html": '<img src="data:image/png;base64,QWRhIExvdmVsYWNlIGlzIGhlcmU=">'},
}
TRACES = (
    *(
        "lovelace",
        "Ada ",
        "Zoë",
        "Zo&",
        "Zo\\",
        "Hara",
        "佐藤",
        "美咲",
        "acme",
        "zohara",
        "4501",
        "4502",
        "7946",
        "0958",
    ),
    *("Hopper", "James", "London", "1985", "81.2", "ill, says", "s3cret", "hunter", "eyJhbGci", "QWRh", "of-acme"),
)


@pytest.mark.parametrize("where", HOSTILE)
def test_nobody_is_left(where: str) -> None:
    [_, one] = cleaned(taken(HOSTILE[where]))
    text = one.content.decode()
    runs = [run for run in re.split(r'[":/]', text) if len(run) > 16 and run.isalnum()]
    decoded = text + "".join(base64.b64decode(run + "==").decode("utf-8", "replace") for run in runs)

    assert [trace for trace in TRACES if trace.lower() in decoded.lower()] == []
    assert json.loads(text).keys() == HOSTILE[where].keys()


KEPT: dict[str, Any] = {
    "figures": {"progress": 45.01, "score": 4501, "count": 4502, "total_users": 4501, "page": 4501, "per_page": 100},
    "times": {"created_at": "2026-01-02T03:04:05Z", "enrolled_on_timestamp": "1768208400", "updated": 1768208400},
    "a course": {"id": 77, "title": "Health & Safety", "name": "Ada for beginners", "code": "C-077", "category_id": 3},
    "words": {"status": "in_progress", "role": "StudentEnrollment", "type": "learner", "state": None, "active": True},
    "an error": {"error": {"type": "invalid_request_error", "message": "The requested user does not exist"}},
    "what pages": {"cursor": "s1", "next": 3, "has_more_data": False, "page_token": 7},
    "numbers of any size": {"big": 10**49, "float": 1e-7, "zero": 0, "negative": -1},
    "an enrollment's id": {"id": 900100, "course_id": 77, "section_id": "77-1"},
    "a flat row": {"user_id": None, "email": None, "course_name": "Fire Safety", "user_type": "Learner-Type"},
    "until when, and in which order": {
        "finish_by": "2026-02-28",
        "due_by": 1772438400,
        "sort_by": "Name",
        "back_by": "28.02.2026",
    },
    "dates of deeds": {"approved_by": "2026-02-28T10:00:00Z"},
    "links of pages": {
        "links": {"first": "/list?page=1", "last": "/list?page=9"},
        "first": 1,
        "last": 9,
    },
    "a title in two languages": {
        "id": 77,
        "course_name": {"en": "Health", "de": "Gesundheit"},
        "name": {"en": "Safety"},
    },
    "who did it": {"created_by": "system", "enrolled_by": "self", "assigned_by": None, "user": "admin"},
}


@pytest.mark.parametrize("what", KEPT)
def test_what_is_nobodys_stays(what: str) -> None:
    assert of(KEPT[what]) == KEPT[what]


def test_ids_are_the_same_in_every_place_and_keep_their_type() -> None:
    ada = stand_ins()[0]["id"]
    body = of(
        {
            "user_id": 4501,
            "userIds": ["4501", 4501],
            "users": [4501],
            "author": {"id": "4501"},
            "enrollment_id": "4501:77",
            "list": "x",
            "members": {"4501": {"score": 4501}},
            "link": "/users/4501/courses",
            "ids": "4501,77",
        },
        url=f"{HOST}/api/users/id:4501?user_id=4501&page=4501",
    )
    [_, one] = cleaned(taken({}, url=f"{HOST}/api/users/id:4501?user_id=4501&page=4501"))

    assert isinstance(ada, int)
    assert body == {
        "user_id": ada,
        "userIds": [str(ada), ada],
        "users": [ada],
        "author": {"id": str(ada)},
        "enrollment_id": f"{ada}:77",
        "list": "x",
        "members": {str(ada): {"score": 4501}},
        "link": f"/users/{ada}/courses",
        "ids": f"{ada},77",
    }
    assert one.url == f"https://lms.example.com/api/users/id:{ada}?user_id={ada}&page=4501"


@pytest.mark.parametrize("mark", [",", "%2C", ";"])
def test_several_ids_in_a_parameter_are_replaced_one_by_one(mark: str) -> None:
    """A lookup in batches: what is asked for is what the answer gives."""
    people = [{"memberId": f"m-{number}", "mail": f"m{number}@b.io"} for number in (106, 2, 17)]
    [_, one] = cleaned(taken(people, f"{HOST}/members?ids=m-106{mark}m-2{mark}m-17"))
    asked = re.split(r"[,;]", unquote(one.url.partition("ids=")[2]))

    assert asked == [person["memberId"] for person in json.loads(one.content)]
    assert not {"m-106", "m-17"} & set(asked)


def test_a_form_is_cleaned_as_a_body_is() -> None:
    mail = "&criteria[0][key]=email&criteria[0][value]="
    posted = f"wsfunction=get&wstoken={quote(SECRET, safe='')}&userid=4501{mail}zoe%40acme.com"
    sent = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("authorization", f"Bearer {JWT}"),
        ("cookie", "a=b"),
    ]
    [known, one] = cleaned(taken({}, posted=posted.encode(), sent=sent))
    users = json.loads(known.content)

    assert one.posted.decode() == (
        f"wsfunction=get&wstoken=made-up-api-key&userid={users[0]['id']}{mail}{users[1]['mail']}"
    )
    assert one.request_headers == [sent[0]]


def test_a_json_request_is_spelled_as_it_was() -> None:
    posted = '{"filter":{"user_id":4501,"note":"Zoë"}}'.encode()
    [known, one] = cleaned(taken({}, posted=posted, sent=[("content-type", "application/json")]))
    users = json.loads(known.content)

    assert one.posted.decode() == f'{{"filter":{{"user_id":{users[0]["id"]},"note":"made-up text 1"}}}}'


def test_of_the_headers_only_harmless_ones_stay() -> None:
    headers = [
        ("link", f'<{HOST}/api/users?page=2&api_key=abc7946>; rel="next"'),
        ("set-cookie", "sid=abcdef1234567"),
        ("x-request-user", "4501"),
        ("x-rate-limit-remaining", "12"),
        ("x-total-count", "4501"),
        ("retry-after", "3"),
        ("etag", "4501"),
    ]
    [_, one] = cleaned(taken({}, headers=headers))

    assert one.headers == [
        ("content-type", "application/json"),
        ("link", '<https://lms.example.com/api/users?page=2&api_key=made-up-api-key-1>; rel="next"'),
        ("x-rate-limit-remaining", "12"),
        ("x-total-count", "4501"),
        ("retry-after", "3"),
    ]


def test_csv_is_read_by_its_heading() -> None:
    lines = [
        "user_id;First Name;Last Name;E-mail;score",
        "4501;Ada;Lovelace;ada.lovelace@acme.com;4501",
        '4609;Grace;"Hopper; Jr";grace@navy.mil;3',
    ]
    text = "".join(f"{line}\r\n" for line in lines)
    [known, one] = cleaned(taken(text, kind="text/csv"))
    ada = json.loads(known.content)[0]
    rows = one.content.decode().split("\r\n")

    assert rows[0] == "user_id;First Name;Last Name;E-mail;score"
    assert rows[1] == f"{ada['id']};{ada['first_name']};{ada['last_name']};{ada['email']};4501"
    assert not {"Hopper", "Grace", "navy", "4609"} & set(
        one.content.decode().replace(";", " ").replace('"', " ").split()
    )


def test_a_heading_in_another_language_is_understood() -> None:
    text = "Vorname,Nachname,E-Mail,Kurs\nGrace,Hopper,grace@navy.mil,Fire Safety\n"
    [_, one] = cleaned(taken(text, kind="text/csv"))
    heading, row, _ = one.content.decode().split("\n")

    assert heading == "Vorname,Nachname,E-Mail,Kurs"
    assert row.endswith("@example.com,Fire Safety")
    assert not {"Grace", "Hopper"} & set(row.split(","))


def test_xml_is_read_by_its_elements() -> None:
    text = (
        '<users><user id="4610" state="open"><name>Alan Turing</name><email>alan@bletchley.uk</email>'
        "<course><title>Ciphers</title></course></user><log>seen: Alan Turing</log></users>"
    )
    [_, one] = cleaned(taken(text, kind="application/xml"))
    new = one.content.decode()

    assert not [trace for trace in ("Turing", "Alan", "bletchley", "4610") if trace in new]
    assert "<title>Ciphers</title>" in new
    assert 'state="open"' in new


def test_json_lines_a_guard_and_gzip_are_looked_into() -> None:
    line = json.dumps({"id": 4501, "email": "ada.lovelace@acme.com"})
    bodies = [f"{line}\n{line}\n", f"while(1);{line}", gzip.compress(line.encode()), line.encode("utf-8-sig")]
    [_, lines, guarded, packed, marked] = cleaned(*map(taken, bodies))

    for text in (lines.content, guarded.content, gzip.decompress(packed.content), marked.content):
        assert b"4501" not in text
        assert b"acme" not in text
    assert json.loads(guarded.content)["id"] == json.loads(gzip.decompress(packed.content))["id"]


def packed(*files: tuple[str, str]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files:
            archive.writestr(name, text)
    return made.getvalue()


def test_the_vendors_own_host_keeps_its_name() -> None:
    """Where tokens are given out is the same for every customer, and no setting leads there."""
    one = taken({"access_token": "t0ken-of-acme-123"}, url="https://auth.lms.io/oauth2/token")
    people = People()
    walked(people, one)
    base = ("https", "acme.lms.io")
    ours: list[frozenset[str]] = [frozenset(), frozenset({"auth.lms.io"})]
    told = [walked(Cleaner(people, base, {}, hosts=hosts), one).url for hosts in ours]

    assert told == ["https://host1.example.com/oauth2/token", "https://auth.lms.io/oauth2/token"]


def test_a_list_of_roles_is_none_of_people() -> None:
    """They have identifiers and display names, too."""
    roles = [{"Identifier": "110", "DisplayName": "Course Builder", "Code": None}]
    path = f"{HOST}/api/lp/1.0"

    assert of(roles, url=f"{path}/roles/") == roles
    assert of(roles, url=f"{path}/roles?all=1") == roles
    assert of(roles, url=f"{path}/carroles/") != roles


def test_a_zip_file_is_looked_into() -> None:
    table = "\ufeffUserId,FirstName,LastName,Email\r\n4501,Ada,Lovelace,ada.lovelace@acme.com\r\n"
    body = taken(packed(("ada.lovelace.csv", table)), kind="application/zip")
    [_, one] = cleaned(body)
    with zipfile.ZipFile(io.BytesIO(one.content)) as archive:
        [name] = archive.namelist()
        new = archive.read(name).decode()

    assert new.splitlines()[0].endswith("UserId,FirstName,LastName,Email")
    assert new.splitlines()[1].count(",") == 3
    assert not [trace for trace in ("4501", "Ada", "Lovelace", "acme", "ada") if trace in name + new]


def test_a_zip_file_of_several_files_or_a_damaged_one_is_emptied() -> None:
    one = packed(("a.csv", "Ada"))
    [_, several, damaged] = cleaned(taken(packed(("a.csv", "Ada"), ("b.csv", "Ben"))), taken(one[:-5]))

    assert (several.content, damaged.content) == (b"", b"")


def test_a_web_page_and_what_is_no_text_are_emptied() -> None:
    page, picture = taken("<html>Hello Ada</html>", kind="text/html"), taken(b"\x89PNG\0\xff\xfe", kind="image/png")
    [_, one, other] = cleaned(page, picture)

    assert one.content.decode() == PAGE
    assert other.content == b""
    assert other.comment
    assert not is_api(page)
    assert not is_api(picture)


# --- reading the same ------------------------------------------------------------------------------------------------


def unified(**more: Any) -> dict[str, Any]:
    """Give a reading of one enrollment."""
    user = {"id": "4501", "name": "Ada Lovelace", "emails": [{"email": "ada.lovelace@acme.com"}]}
    one = {"id": "4501:77", "user": user, "course": {"id": "77", "title": "Fire"}, "assigned_by": None}
    one |= {"status": "in_progress", "score": 4501.0, "custom_fields": {"username": "alovelace9", "level": 3}}
    return {"enrollments": [one | more], "skipped": {}, "rejected": [], "drift": []}


DAMAGE: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nothing": ({}, []),
    "a status": ({"status": "unknown"}, ["status"]),
    "a figure": ({"score": 2499.0}, ["score"]),
    "a title": ({"course": {"id": "77", "title": "Water"}}, ["course.title"]),
    "a field": ({"custom_fields": {"username": "somebody", "level": 3}}, ["custom_fields.username"]),
    "a missing field": ({"custom_fields": {"level": 3}}, ["custom_fields"]),
    "an id": ({"id": "1234:77"}, ["id"]),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_what_cleaning_damages_is_told_by_field(what: str) -> None:
    people = People()
    walked(people, taken(USERS))
    people.enrollments(unified()["enrollments"])
    cleaner = Cleaner(people, None, {})
    ada = json.loads(walked(cleaner, taken(USERS)).content)[0]
    user = {
        "id": str(ada["id"]),
        "name": f"{ada['first_name']} {ada['last_name']}",
        "emails": [{"email": ada["email"]}],
    }
    fields = {"username": ada["login"], "level": 3}
    changes, told = DAMAGE[what]
    replayed = unified(**{"id": f"{ada['id']}:77", "user": user, "custom_fields": fields, **changes})

    assert differing(unified(), replayed, cleaner) == told


# --- the last look ---------------------------------------------------------------------------------------------------

FOUND = {
    "a secret": f"key: {SECRET}",
    "a secret in an address": "?k=s3cret%2Fkey%2Bof-acme",
    "a secret in base64": base64.b64encode(f"user:{SECRET}".encode()).decode(),
    "an address": "ADA.LOVELACE@acme.com",
    "an escaped address": "ada.lovelace%40acme.com",
    "a name": "by Lovelace, Ada.",
    "an escaped name": "Zo&euml; O&#8217;Hara",
    "a name in an address": "?n=ada+lovelace",
    "a login": "as alovelace9!",
}


@pytest.mark.parametrize("what", FOUND)
def test_the_last_look_finds_what_is_left_and_does_not_say_it(what: str) -> None:
    people = People()
    walked(people, taken(USERS))
    with pytest.raises(RollbookError) as caught:
        look_through([("the answer", FOUND[what])], people, [SECRET])

    assert "the answer" in str(caught.value)
    assert not [trace for trace in TRACES if trace.lower().strip() in str(caught.value).lower()]


def test_the_last_look_lets_stand_ins_pass() -> None:
    people = People()
    walked(people, taken(USERS))
    look_through([("a", one.content.decode()) for one in cleaned()], people, [SECRET])
    look_through([("a", "the word alove, and Ada alone")], people, [SECRET])


@pytest.mark.parametrize(("first", "last"), [("Li", "Ng"), ("Mo", "Kern"), ("J.", "Tarn"), ("Anna Maria", "Berg")])
def test_a_name_of_a_few_letters_is_replaced_as_any_other(first: str, last: str) -> None:
    one = of(
        [{"memberId": "m-1", "first": first, "last": last, "mail": "a@b.io", "display": f"{first} {last}".strip()}]
    )[0]

    assert {first, last} & {one["first"], one["last"], *one["display"].split()} <= {""}
    assert one["display"] == f"{one['first']} {one['last']}".strip()


# --- signing in with a key --------------------------------------------------------------------------------------------


def test_what_was_signed_has_the_same_stand_in_each_time() -> None:
    """It is signed anew for each request, so that a replay could not know which one it was."""
    kind = [("content-type", "application/x-www-form-urlencoded")]
    first, second = (
        taken({}, sent=kind, posted=f"grant_type=urn:x:jwt-bearer&assertion={JWT}{end}".encode()) for end in "ab"
    )
    forms = [one.posted.decode() for one in cleaned(first, second)[1:]]

    assert forms == ["grant_type=urn:x:jwt-bearer&assertion=made-up-assertion"] * 2


def test_the_vendors_own_hosts_keep_their_names() -> None:
    people, one = People(), taken({}, url="https://tokens.vendor.io/token")
    people.headers(one)
    walked(people, one)
    hidden, kept = (
        walked(Cleaner(people, ("https", "acme.lms.io"), {}, hosts=hosts), one).url
        for hosts in (frozenset[str](), frozenset({"tokens.vendor.io"}))
    )

    assert kept == "https://tokens.vendor.io/token"
    assert "vendor" not in hidden


def test_a_key_file_stays_one_of_stand_ins_without_addresses() -> None:
    file = json.dumps({"client_email": "reader@acme.iam.example.com", "private_key": "k3y", "uri": "https://acme.io"})
    found = known_secrets({"key_file": file, "api_key": "s3cr3t"})

    assert found["s3cr3t"] == "made-up-api-key"
    assert json.loads(found[file]) == {"client_email": "made-up-client-email", "private_key": "made-up-private-key"}
