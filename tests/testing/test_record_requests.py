"""Cleaning what requests are made of: settings, lists of logins, paths and composed ids; a replay asks the same."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from rollbook.core.connection import check_settings
from rollbook.core.registry import find
from rollbook.core.testing.recording.bodies import walked
from rollbook.core.testing.recording.cleaning import Cleaner
from rollbook.core.testing.recording.keys import Holds
from rollbook.core.testing.recording.people import People
from rollbook.core.testing.recording.pseudonyms import Emails
from rollbook.core.testing.recording.recorder import Taken
from rollbook.core.testing.recording.seen import Source
from rollbook.core.testing.recording.tenant import secrets_of, stand_ins

HOST = "https://acme.lms.io"
USERS: list[dict[str, Any]] = [
    {"user_id": "u-501", "username": "zelda", "email": "zelda.q@acme.com", "full_name": "Zelda Quimby"},
    {"user_id": "_201_1", "username": "orinthia", "email": "ob@acme.com", "full_name": "Orinthia Blatherwick"},
    {"user_id": "fay", "username": "bo+1", "email": "bo@acme.com", "full_name": "Bo Zyx"},
]


def taken(body: Any, path: str = "/api/x", **more: Any) -> Taken:
    """Make an exchange."""
    sent, posted, headers = more.pop("sent", []), more.pop("posted", b""), [("content-type", "application/json")]
    return Taken("GET", HOST + path, sent, posted, datetime.now(UTC), 200, headers, json.dumps(body).encode(), **more)


def cleaner_of(*exchanges: Taken) -> Cleaner:
    """Give the cleaner for exchanges, after the list of users."""
    people = People()
    for one in (taken(USERS), *exchanges):
        people.headers(one)
        walked(people, one)
    return Cleaner(people, ("https", "acme.lms.io"), {})


def cleaned(one: Taken) -> Taken:
    """Clean an exchange."""
    return walked(cleaner_of(one), one)


def of(body: Any) -> Any:
    """Clean one JSON body."""
    return json.loads(cleaned(taken(body)).content)


def stand_in(kind: Holds, value: str) -> str:
    """Give what stands for a value of the users."""
    return str(cleaner_of().leaf(kind, value))


# --- settings --------------------------------------------------------------------------------------------------------


def test_how_a_request_is_signed_is_no_secret() -> None:
    signed = 'OAuth realm="x", oauth_signature_method="HMAC-SHA1", oauth_version="1.0", oauth_signature="a1b2c3d4e5f6"'
    people = People()
    people.headers(taken({}, sent=[("authorization", signed)]))

    assert "HMAC-SHA1" not in people.secrets
    assert "a1b2c3d4e5f6" in people.secrets


def test_a_setting_that_is_a_choice_stays_whatever_it_is_called() -> None:
    connector = find("schoology", "", ())
    values = {
        "base_url": HOST,
        "client_id": "k3y-of-acme",
        "client_secret": "s3cret-of-acme",
        "signature_method": "PLAINTEXT",
    }
    source = Source("acme", "schoology", values)
    people = People()
    people.secret("PLAINTEXT", "token")
    secrets = secrets_of(source, connector)
    made = stand_ins(
        source,
        connector,
        check_settings(connector, values, "x"),
        secrets,
        Cleaner(people, ("https", "acme.lms.io"), {}),
    )

    assert made["signature_method"] == "PLAINTEXT"
    assert "s3cret-of-acme" not in json.dumps(made)
    assert "k3y-of-acme" not in json.dumps(made)


def test_a_connection_to_two_hosts_keeps_them_apart() -> None:
    connector = find("openedx", "enterprise", ())
    values = {
        "base_url": HOST,
        "enterprise_url": "https://reports.acme.io",
        "enterprise_uuid": "5a1f0c1e-0b6f-4d1e-9c55-2f9f3b8c7d10",
        "client_id": "app-of-acme",
        "client_secret": "s3cret-of-acme",
        "strategy": "enterprise",
    }
    source, one = Source("acme", "openedx", values), taken({})
    people = People()
    walked(people, one)
    cleaner = Cleaner(people, ("https", "reports.acme.io"), {})
    settings = check_settings(connector, values, "x")
    made = stand_ins(source, connector, settings, secrets_of(source, connector), cleaner)

    assert made["enterprise_url"] == "https://lms.example.com"
    assert walked(cleaner, one).url.startswith(f"{made['base_url']}/")
    assert made["base_url"] == "https://host1.example.com"


# --- people in requests ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["username", "usernames", "user_username"])
def test_each_of_several_logins_in_a_query_or_a_form_is_replaced(name: str) -> None:
    form = [("content-type", "application/x-www-form-urlencoded")]
    one = cleaned(taken({}, f"/api/x?{name}=zelda,orinthia", sent=form, posted=f"{name}=zelda,orinthia".encode()))
    logins = ",".join(stand_in(Holds.LOGIN, login) for login in ("zelda", "orinthia"))

    assert one.url.endswith(f"?{name}={logins}")
    assert one.posted.decode() == f"{name}={logins}"
    assert "zelda" not in logins


@pytest.mark.parametrize("who", ["zelda", "fay", "u-501"])
def test_somebody_who_is_a_whole_part_of_a_path_is_replaced(who: str) -> None:
    url = cleaned(taken({}, f"/api/certificates/{who}/courses/c-7")).url

    assert url.endswith(f"/certificates/{stand_in(Holds.ID, who)}/courses/c-7")
    assert f"/{who}/" not in url


@pytest.mark.parametrize(
    ("composed", "who"),
    [("_31_1:{}", "_201_1"), ("c-60\n{}", "u-501"), ("course-v1:Ex+OPS+2026:{}", "fay"), ("Ex/Old/2014:{}", "zelda")],
)
def test_the_id_of_somebody_within_a_longer_one_is_replaced_and_nothing_else(composed: str, who: str) -> None:
    new = stand_in(Holds.ID, who)

    assert new != who
    assert of({"id": composed.format(who)}) == {"id": composed.format(new)}


def test_a_login_named_by_a_longer_word_is_one() -> None:
    assert of({"user_username": "kim"})["user_username"] != "kim"


def test_stand_ins_of_logins_and_addresses_sort_as_these_do() -> None:
    logins = [f"kim{at:02}" for at in range(12)]
    new = [one["username"] for one in of([{"username": login} for login in logins])]
    mails = [one["email"] for one in of([{"email": f"{login}@acme.com"} for login in logins])]

    assert sorted(new) == new
    assert sorted(mails) == mails


# --- people in answers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("choice", ["GivenName", "OtherName", "Both"])
def test_which_of_the_names_is_shown_stays(choice: str) -> None:
    name = {"given": "Zelda", "family": "Quimby", "other": "Billie", "preferredDisplayName": choice}
    new = of({"user": {"email": "zelda.q@acme.com", "name": name}})["user"]["name"]

    assert new["preferredDisplayName"] == choice
    assert not {"Zelda", "Quimby", "Billie"} & set(new.values())


def test_a_name_that_is_also_such_a_word_is_replaced() -> None:
    assert of({"user": {"last_name": "Both", "email": "b@acme.com"}})["user"]["last_name"] != "Both"


def test_a_table_of_objects_with_two_columns_of_one_name_is_read_by_its_heading() -> None:
    headers = ["Username", "Time started", "Email address", "Time started"]
    rows = [{"columns": ["kim", "1 May", "kim@acme.com", "2 May"]}]
    (row,) = of({"headers": headers, "rows": rows})["rows"]

    assert list(row) == ["columns"]
    assert row["columns"][1::2] == ["1 May", "2 May"]
    assert row["columns"][0] == str(cleaner_of(taken({"headers": headers, "rows": rows})).leaf(Holds.LOGIN, "kim"))
    assert "kim" not in json.dumps(row)


def test_that_an_address_was_taken_away_stays_to_be_seen_but_not_whose_it_was() -> None:
    emails = Emails("learner{}@example.com")

    assert emails.of("retired__user_77aa@retired.invalid") == "retired__user_learner1@example.invalid"
    assert emails.of("Retired__user_77AA@retired.invalid") == "retired__user_learner1@example.invalid"
    assert emails.of("zelda.quimby@left.invalid") == "learner2@example.com"
    assert emails.of("retired__user_77aa@acme.com") == "learner3@example.com"
