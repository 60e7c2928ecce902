"""Cleaning answers in the shapes of many LMSs: people in every odd place, and what is nobody's left alone."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from rollbook.core.testing.recording.bodies import walked
from rollbook.core.testing.recording.cleaning import Cleaner
from rollbook.core.testing.recording.people import People
from rollbook.core.testing.recording.recorder import Taken

HOST = "https://acme.lms.io"
SECRET = "Sec7946SecretValue"
ZELDA: dict[str, Any] = {
    "id": 884422,
    "firstName": "Zelda",
    "lastName": "Quimby",
    "email": "zelda.q@acme.com",
    "login": "zquimby",
}
OTHERS: list[dict[str, Any]] = [
    {"id": 884423, "firstName": "Will", "lastName": "Course", "email": "will@acme.com", "login": "will"},
    {"id": 884424, "firstName": "April", "lastName": "May", "email": "april@acme.com", "login": "april.may"},
    {"id": 884425, "firstName": "Jürgen", "lastName": "Müßig", "email": "jm@acme.com"},
    {"id": 884426, "firstName": "Siân", "lastName": "O'Malley-Brontë", "email": "som@acme.com"},
    {"id": 884427, "firstName": "İlkay", "lastName": "Gündoğan", "email": "ilkay@acme.com"},
    {"id": 884428, "firstName": "محمد", "lastName": "الفاسي", "email": "mf@acme.com"},
    {"id": 884429, "firstName": "Ludwig", "lastName": "van der Berghoven", "email": "lvdb@acme.com"},
]
TRACES = (
    *("zelda", "quimby", "acme", "884422", "orinthia", "blatherwick", "zzyzx", "7946", "88231", "elm", "malley"),
    *("gundogan", "gündoğan", "müssig", "müßig", "الفاسي", "berghoven", "will course", "april may", SECRET.lower()),
)


def taken(body: Any, kind: str = "application/json", path: str = "/api/x", **more: Any) -> Taken:
    """Make an exchange."""
    content = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    headers = [("content-type", kind), *more.pop("headers", ())]
    sent, posted = more.pop("sent", []), more.pop("posted", b"")
    return Taken("GET", HOST + path, sent, posted, datetime.now(UTC), 200, headers, content, **more)


def cleaned(*exchanges: Taken) -> list[Taken]:
    """Clean exchanges, after the list of users."""
    people, all_of_them = People(), (taken([ZELDA, *OTHERS]), *exchanges)
    for one in all_of_them:
        people.headers(one)
        walked(people, one)
    cleaner = Cleaner(people, ("https", "acme.lms.io"), {})
    return [walked(cleaner, one) for one in all_of_them]


def written(one: Taken) -> str:
    """Give all that is written of an exchange."""
    return "\n".join([one.url, one.posted.decode(), repr(one.headers), repr(one.request_headers), one.content.decode()])


def form(text: str) -> dict[str, Any]:
    """Make a posted form."""
    return {"posted": text.encode(), "sent": [("content-type", "application/x-www-form-urlencoded")]}


MD5 = hashlib.md5(b"zelda.q@acme.com", usedforsecurity=False).hexdigest()
PACKED = base64.b64encode(gzip.compress(b'{"email":"zelda.q@acme.com","and":"more of the same"}')).decode()
CONTACT = {"street1": "12 Elm", "homePhone": "7946"}

SHAPES: dict[str, Any] = {
    "Moodle": {"completions": [{"userid": 884422, "overrideby": 884422}], "usermodified": 884422, "useridto": 884422},
    "Canvas": [
        {"author_id": 884422, "author_name": "Zelda Quimby", "comment": "ask 7946", "attachments": []},
        {"attachments": [{"id": 1, "display_name": "zquimby_cv.pdf", "filename": "Zelda+Quimby.pdf"}]},
    ],
    "Blackboard": {"id": 1, "userName": "x9", "avatar": {"viewUrl": "/avatar/88231"}, "contact": CONTACT},
    "Brightspace": {
        "PagingInfo": {"Bookmark": "884422"},
        "Items": [{"User": {"Identifier": "884422", "OrgDefinedId": "2.88231", "ProfileBadgeUrl": "https://x.io/elm"}}],
    },
    "Classroom": {"answers": [{"userId": "884422", "shortAnswer": {"answer": "ask at 12 Elm"}}]},
    "Schoology": {
        "uid": "884422",
        "school_uid": "E-88231",
        "name_first": "Orinthia",
        "name_last": "Blatherwick",
        "name_display": "Orinthia Blatherwick",
        "name_first_preferred": "Orinthia",
        "child_uids": "884422",
        "birthday_date": "7946-01-01",
    },
    "OneRoster": {
        "users": [{"sourcedId": "u-88231", "userIds": [{"type": "LDAP", "identifier": "zquimby"}], "sms": "555 7946"}],
        "results": [{"student": {"sourcedId": "u-88231", "type": "user"}}],
    },
    "Open edX": {
        "username": "zquimby",
        "extended_profile": [{"field_name": "company", "field_value": "Elm 7946"}],
        "profile_image": {"image_url_full": f"{HOST}/p/zquimby_500.jpg"},
        "social_links": [{"social_link": "https://x.io/88231"}],
    },
    "SuccessFactors": {
        "userId": "EMP88231",
        "manager": {"__deferred": {"uri": f"{HOST}/odata/v2/User('EMP88231')/manager"}},
        "sku": "USER:EMP88231:FS-1",
        "assignedByUserID": "TIB88231",
    },
    "Cornerstone": {
        "user_name_first": "Orinthia",
        "user_name_middle": "Blatherwick",
        "user_lo_comments": "ask 7946",
        "user_lo_assignor_ref": "E88231",
        "Alias": "session_for_zquimby",
        "@odata.nextLink": f"{HOST}/v?$filter=transc_user_id%20eq%20884422&$skip=2",
    },
    "Workday": {"Worker": "Zelda Quimby (884422)", "Employee": {"Descriptor": "Orinthia Blatherwick (E88231)"}},
    "Litmos": {"UserName": "zquimby", "Email": "x@y.io", "Street1": "12 Elm", "ExternalEmployeeId": "EE-88231"},
    "LearnUpon": {"user": [{"first_name": "Orinthia", "address_attributes": {"street": "12 Elm"}}]},
    "Adobe": {
        "relationships": {"manager": {"data": {"id": "88231001", "type": "user"}}},
        "attributes": {"userUniqueId": "zquimby", "binUserId": "b1n88231"},
        "next": "/x?page[cursor]=" + base64.b64encode(b"884422:Zelda Quimby").decode(),
    },
    "LinkedIn": {
        "entity": {"profileUrn": "urn:li:enterpriseProfile:(urn:li:enterpriseAccount:12345,88231001)"},
        "assigner": "urn:li:person:AbC88231",
    },
    "Udemy": {"user_surname": "Blatherwick", "lms_user_id": "L88231"},
    "Go1": {"hits": [{"id": "88231", "email": "x@y.io", "external_id": "x88231"}], "user_account_id": "88231"},
    "LearnWorlds": {"email": "x@y.io", "billing_info": {"bf_address": "12 Elm", "bf_taxid": "EL88231"}},
    "Docebo": {"user_data": ZELDA, "additional_fields": [{"title": "Birthplace", "value": "Elm"}]},
    "SCIM": {
        "userName": "ob",
        "phoneNumbers": [{"value": "555-7946"}],
        "addresses": [{"streetAddress": "12 Elm", "formatted": "Elm"}],
        "manager": {"value": "88231915-6090-4610-87e4-49d8ca9f808d"},
    },
    "xAPI": {"actor": {"account": {"homePage": "https://x.io", "name": "E88231"}, "mbox_sha1sum": "e88231"}},
    "claims": {
        "a": [{"Name": "http://x.io/claims/givenname", "Value": "Orinthia"}, {"key": "lname", "value": "Zzyzx"}]
    },
    "columns of a report": {"columns": ["User ID", "First Name"], "rows": [[88231, "Orinthia"]]},
    "names of a database": {
        "FIRST_NM": "Orinthia",
        "EMP_NBR": "E88231",
        "MGR_NM": "Bruno Zzyzx",
        "uname": "blatherwick",
    },
    "German": {"Vorname": "Orinthia", "Personalnummer": "88231", "Strasse": "Elm 3", "Telefon": "7946"},
    "somebody a thing is given to": {"assigned_to": ["Bruno Zzyzx"], "learners": "884422|884423"},
    "mail": {"to": "Orinthia Blatherwick <x@y.io>", "cc": "Bruno Zzyzx"},
    "an id in a tag": {"html": '<a href="/users/884422" title="Zelda Quimby" data-uid="884422">x</a>'},
    "a phone in a text": {"text": "call +44 20 7946 0958"},
    "keys": {"by": {"Zelda Quimby": 1, "zquimby": 2, "user_884422": 3}, "ids": {"884422": 1, "total": 2}},
    "JSON in JSON": {"a": json.dumps(json.dumps({"n": "Zelda Quimby", "user_id": 884422}))},
    "a hash of an address": {"picture": f"https://gravatar.com/avatar/{MD5}", "of": MD5},
    "spellings": {"text": "JÜRGEN MÜSSIG; Jurgen Mussig; ilkay gündoğan; Gundogan, Ilkay; sian o\u2019malley-bronte"},
    "a script from right to left": {"text": "شهادة محمد الفاسي"},
    "particles": {"text": "Mr van der Berghoven; Berghoven, Ludwig van der"},
    "names of words": {"text": "By Will Course and April May"},
    "names without a blank": {"a": "ZeldaQuimby_cert.pdf", "b": "quimbyzelda", "c": "/r/ISU_zquimby/1"},
    "addresses otherwise": {"a": "zelda.q (at) x.io", "b": "zelda.q%2540acme.com", "c": "zelda.q_acme.com#EXT#@x.io"},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_nobody_is_left_in_any_vendors_shape(shape: str) -> None:
    text = written(cleaned(taken(SHAPES[shape]))[1])
    everything = json.dumps(json.loads(text.splitlines()[-1]), ensure_ascii=False).casefold()

    assert [trace for trace in TRACES if trace in everything] == []
    assert MD5 not in everything


SECRETS: dict[str, Taken] = {
    "a short code": taken({}, **form("grant_type=authorization_code&code=Ab7946")),
    "a form of no type": taken({}, posted=f"username=zquimby&password=pw7946&refresh_token={SECRET}".encode()),
    "OAuth 1": taken({"a": SECRET}, sent=[("authorization", f'OAuth realm="", oauth_signature="{SECRET}"')]),
    "an odd scheme": taken({"a": f"was {SECRET}"}, sent=[("authorization", f"Token token={SECRET}")]),
    "a cookie": taken({"a": f"was {SECRET}"}, sent=[("cookie", f"sid={SECRET}; lang=en")]),
    "SOAP": taken("<a/>", "text/xml", posted=b"<E><Username>zquimby</Username><Password>pw7946</Password></E>"),
    "a token as a whole answer": taken('"abcdefgh7946abcdefgh"'),
    "a token as a text": taken("AbsTok/7946+34567890abcdefXYZ==", "text/plain"),
    "webhooks": taken({"a": "https://x.io/api/webhooks/1234/AbC7946dEfGhIjKlMnOp", "webhookUrl": f"{HOST}/h/7946"}),
    "keys of services": taken(
        {"a": ["glpat-7946abcdefghijklmnop", "sk_live_7946abcdefghijklmnopq", "ASIA7946AAAABBBBCCCC"]}
    ),
    "codes that let in": taken(
        {"enrollmentCode": "ab7946", "pin": "7946", "salt": "s7946", "join_url": f"{HOST}/7946"}
    ),
    "a signed link": taken({"a": "https://s.io/k?AWSAccessKeyId=AKIA7946AAAABBBBCCCC&Signature=7946%3D"}),
    "a session in a path": taken({}, path="/app;jsessionid=AB7946CDEF0123456789/users;uid=884422"),
    "a packed bookmark": taken({"cursor": PACKED}),
    "a filter": taken({}, path="/x?$filter=student.sourcedId='884422'&user_id[gte]=884422&f=userId+eq+'884422'"),
    "a key of OData": taken({}, path="/odata/v2/User(userId='884422',seq=2L)/manager"),
}


@pytest.mark.parametrize("where", SECRETS)
def test_no_secret_and_no_id_is_left_in_any_place(where: str) -> None:
    text = written(cleaned(SECRETS[where])[1])

    assert [trace for trace in ("7946", SECRET, "884422", "zquimby", PACKED) if trace in text] == []


BODIES: dict[str, tuple[Any, str]] = {
    "CSV without a heading": ("884422,Zelda,Quimby,zelda.q@acme.com\n884423,Will,Course,will@acme.com\n", "text/csv"),
    "XML with types": ('<r><w><ID t="x" type="Employee_ID">E88231</ID><email>x@y.io</email></w></r>', "text/xml"),
    "XML with a DTD": ("<!DOCTYPE r []><r><user><name>Orinthia Zzyzx</name></user></r>", "text/xml"),
    "XML that is cut": ("<r><user><name>Orinthia Zzyzx</name>", "text/xml"),
    "JSON that is cut": ('{"users":[{"first_name":"Orinthia","phone":"7946', "application/json"),
}


@pytest.mark.parametrize("what", BODIES)
def test_nobody_is_left_in_a_body_that_is_hard_to_read(what: str) -> None:
    text = cleaned(taken(*BODIES[what]))[1].content.decode().casefold()

    assert [trace for trace in TRACES if trace in text] == []


KEPT: dict[str, Any] = {
    "a course with its author": {"id": 5, "name": "Fire Safety", "author_name": None, "instructorEmail": ""},
    "courses of a user": {"enrolledcourses": [{"id": 41, "fullname": "Fire Safety", "shortname": "FS1"}]},
    "a class that has a group": {"id": "583920184736", "name": "Biology", "teacherGroupEmail": None, "section": "P1"},
    "a file": {"id": 1, "display_name": "Fire Plan", "filename": "plan.pdf", "size": 77},
    "an organization": {"id": 9, "displayName": "North Branch", "type": "org"},
    "OData's types": {"__metadata": {"type": "SFOData.User"}, "status": "active"},
    "a flat row": {
        "learner_id": None,
        "Learning_Content": "Fire Safety",
        "Delivery_Mode": "Instructor Led",
        "Attendance": "No Show",
        "Approval": "Not Required",
        "completion_state": "Not Evaluated",
    },
    "verbs": {"verb": {"id": "http://adlnet.gov/expapi/verbs/completed"}},
    "titles that begin as a header does": {"title": "Basic Troubleshooting", "text": "the token authentication"},
    "codes of words": {"code": "INTRO-TO-SAFETY-2026", "key": "health-and-safety-7", "state": "waiting_for_approval_2"},
    "a version": {"version": "1.2.3.4", "release": "10.0.1.2"},
    "settings of mail": {"email_frequency": "weekly", "notify_by": "email", "email_mode": "digest"},
    "counts of comments": {"comments_count": 7, "comments_enabled": "true"},
    "short answers": {"answer": "B", "response": "ok"},
    "ranges": {"from": "Start Date", "to": "End Date"},
    "months": {"April": 3, "May": {"total": 2}},
    "titles of words": {"title": "Zelda for beginners", "course_title": "Will it work? April in May"},
    "a short bookmark": {"cursor": "s1", "after": 7, "bookmark": "12"},
    "dates of OData": {"hireDate": "/Date(1388534400000+0000)/", "due_by": "2026-01-02"},
}


@pytest.mark.parametrize("what", KEPT)
def test_what_is_nobodys_stays_in_any_vendors_shape(what: str) -> None:
    assert json.loads(cleaned(taken(KEPT[what]))[1].content) == KEPT[what]


def test_no_stand_in_is_what_somebody_else_is_called() -> None:
    people = [{"id": n, "login": f"learner{n}", "email": f"learner{n + 1}@example.com"} for n in range(1, 5)]
    [_, one] = cleaned(taken(people))
    text = one.content.decode()

    assert [n for n in range(1, 6) if f'"learner{n}"' in text or f'"learner{n}@' in text] == []


def test_things_that_name_whose_they_are_stay_things() -> None:
    body = {"id": 5, "name": "Fire Safety", "author_name": "Zelda Quimby", "owner_email": "zelda.q@acme.com"}
    new = json.loads(cleaned(taken(body))[1].content)

    assert (new["id"], new["name"]) == (5, "Fire Safety")
    assert "Quimby" not in new["author_name"]


def test_the_same_person_is_the_same_in_every_shape() -> None:
    body = {
        "a": {"userId": "884422"},
        "b": f"{HOST}/odata/User('884422')",
        "c": {"actor": "urn:li:person:884422"},
        "d": {"Worker": "Zelda Quimby (884422)"},
        "e": {"relationships": {"user": {"data": {"type": "user", "id": "884422"}}}},
        "f": base64.b64encode(b"user:884422").decode(),
    }
    [known, one] = cleaned(taken(body, path="/x?$filter=userId eq 884422"))
    zelda, new = json.loads(known.content)[0], json.loads(one.content)
    id = str(zelda["id"])

    assert new["a"]["userId"] == new["e"]["relationships"]["user"]["data"]["id"] == id
    assert new["b"] == f"https://lms.example.com/odata/User('{id}')"
    assert new["c"] == {"actor": f"urn:li:person:{id}"}
    assert new["d"] == {"Worker": f"{zelda['firstName']} {zelda['lastName']} ({id})"}
    assert base64.b64decode(new["f"]) == f"user:{id}".encode()
    assert id in one.url
