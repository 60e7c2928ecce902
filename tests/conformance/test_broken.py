"""The suite fails for whoever breaks a promise, and says which, where, and what to do."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import broken_lms
import pytest
from guild_lms import Guild
from rollbook.core.errors import SettingsError, UnknownName
from rollbook.core.testing.conformance import conformance_tests, promises

if TYPE_CHECKING:
    from collections.abc import Callable

    from rollbook.core.connector import Connector

    Renamed = Callable[[type[Connector[Any]]], Path]

FIXTURES = Path(__file__).parent / "fixtures"


def _unset(_name: str, *, default: object = None) -> object:
    return default


REQUEST = SimpleNamespace(config=SimpleNamespace(getoption=_unset))
"""A pytest without --update-expected."""


def failure(connector: type[Connector[Any]], test: str, fixtures: Path) -> str:
    """Run one test of the suite for each case, and give the text of its failure; empty if it passes."""
    suite = conformance_tests(connector, fixtures)
    method = getattr(suite(), test)
    wanted = inspect.signature(method).parameters
    for trial in suite.trials if "trial" in wanted else (None,):
        try:
            method(**{name: value for name, value in (("trial", trial), ("request", REQUEST)) if name in wanted})
        except AssertionError as error:
            return str(error)
    return ""


BROKEN = [
    ("FirstPageOnly", "test_a_tenant_is_read_to_its_last_page_as_expected", "never asked for"),
    ("LosesOne", "test_a_tenant_is_read_to_its_last_page_as_expected", "11:502"),
    ("FailsOnNothing", "test_an_empty_tenant_is_read_without_complaint", "reading an empty tenant fails"),
    ("Endless", "test_a_page_that_repeats_is_noticed", "reading never ends"),
    ("QuietlyStops", "test_a_page_that_repeats_is_noticed", "without a word"),
    ("LosesOne", "test_the_total_that_the_lms_tells_is_what_came", "holds 3, and 2 came"),
    ("NoTotals", "test_a_total_that_disagrees_is_reported", "nothing was said"),
    ("OtherFetch", "test_a_single_enrollment_is_the_one_of_the_whole", "course, remote_data differ"),
    ("FetchFails", "test_a_single_enrollment_is_the_one_of_the_whole", "but enrollments() gives it"),
    (
        "SometimesUnsupported",
        "test_single_enrollments_are_unsupported_for_all_or_for_none",
        "is Unsupported for 12:501",
    ),
    ("OddIdFetch", "test_an_enrollment_that_is_not_there_is_gone", "the connector failed with ValueError"),
    ("AnyFetch", "test_an_enrollment_that_is_not_there_is_gone", "gives an enrollment, although there is none"),
    ("Odd", "test_no_two_enrollments_share_an_id", "different records have the id '11'"),
    ("CountedIds", "test_ids_are_the_same_in_every_reading", "the ids of a second reading are others"),
    ("FoldsByOrder", "test_parts_fold_the_same_in_any_order_and_cut", "the folded records of"),
    ("Remembers", "test_a_partition_reads_the_same_in_a_fresh_process", "which course?"),
    ("CountedIds", "test_a_partition_reads_the_same_in_a_fresh_process", "a fresh process reads"),
    ("TupleContext", "test_a_partition_reads_the_same_in_a_fresh_process", "is no JSON"),
    ("PageKeys", "test_partition_keys_name_entities", "page-1, page-2, page-3 are places"),
    ("CountedKeys", "test_partition_keys_name_entities", "1, 2, 3 are places"),
    ("SameKeys", "test_partition_keys_name_entities", "two partitions have the key course"),
    ("ChangingKeys", "test_partition_keys_name_entities", "a second listing has other keys"),
    ("SkippingCursor", "test_each_cursor_leads_to_what_is_left", "taken up behind page 1 of 3"),
    ("SkippingCursor", "test_an_interrupted_sync_ends_like_another", "begun again has other enrollments"),
    ("SwallowsAuth", "test_a_refused_sign_in_is_an_auth_error", "no AuthError with a hint"),
    ("NeverRenews", "test_a_refused_sign_in_is_an_auth_error", "the token is not renewed"),
    ("SwallowsForbidden", "test_a_forbidden_tenant_never_reads_as_empty", "0 enrollments and no error"),
    ("SwallowsGone", "test_an_item_that_is_gone_takes_no_other_with_it", "without a word"),
    ("GivesUp", "test_throttling_is_waited_out", "is not waited out"),
    ("GivesUp", "test_a_server_error_is_tried_again", "is not waited out"),
    ("AsksOnce", "test_a_time_out_is_tried_again", "is not waited out"),
    ("AsksOnce", "test_a_cut_connection_is_tried_again", "is not waited out"),
    ("SwallowsFailures", "test_a_lasting_server_error_is_told_and_leaves_the_rest", "no failure is reported; 11:501"),
    ("FailsTheRest", "test_a_lasting_server_error_is_told_and_leaves_the_rest", "which are in other partitions"),
    ("SwallowsOddities", "test_a_web_page_is_told", "no failure is reported; 11:501"),
    ("SwallowsOddities", "test_malformed_json_is_told", "no failure is reported; 11:501"),
    ("SwallowsOddities", "test_truncated_json_is_told", "no failure is reported; 11:501"),
    ("SwallowsOddities", "test_an_empty_body_is_told", "no failure is reported; 11:501"),
    ("SwallowsOddities", "test_json_of_another_shape_is_no_unforeseen_error", "no failure is reported; 11:501"),
    ("ExpectsKeys", "test_json_of_another_shape_is_no_unforeseen_error", "the connector failed with KeyError"),
    ("ChangesLater", "test_remote_data_is_the_native_record", "is not"),
    ("Floats", "test_remote_data_is_the_native_record", "which the LMS never sent"),
    ("Undeclared", "test_no_live_credential_is_in_remote_data", "holds a secret"),
    ("LogsSecrets", "test_no_secret_is_told", "the log of a reading"),
    ("TellsSecrets", "test_no_secret_is_told", "an error of a reading with 500 for ever"),
    ("NamesLearners", "test_no_learner_is_named_in_logs_and_errors", "the log of a reading"),
    ("Untitled", "test_the_connector_declares_itself", "no title"),
    ("Nameless", "test_the_connector_declares_itself", "not in lower case"),
    ("Undescribed", "test_the_connector_declares_itself", "no docstring"),
    ("BareSetting", "test_the_connector_declares_itself", "the setting floor is not described"),
    ("NoLookup", "test_the_connector_declares_itself", "which are not declared"),
    ("IdleLookup", "test_the_connector_declares_itself", "no join uses"),
    ("BadJoin", "test_the_connector_declares_itself", "'learner..person' is none"),
    ("BadPick", "test_the_connector_declares_itself", "'found..name' is none"),
    ("DeadLookup", "test_the_connector_declares_itself", "neither whole nor by keys"),
    ("Odd", "test_the_mapping_loads_without_a_warning", "says that it is for 'guild'"),
    ("Odd", "test_every_declared_status_is_reached", "no fixture has an enrollment that is"),
    ("Odd", "test_declared_coverage_is_what_fixtures_fill", "no fixture fills score"),
    ("StrangeKind", "test_every_kind_of_page_is_mapped", "no kind history"),
    ("CheckSwallows", "test_a_check_tells_refused_credentials", "with 401, check() tells nothing"),
    ("CheckFails", "test_a_check_proves_the_credentials", "check() fails on good credentials"),
]


@pytest.mark.parametrize(("name", "test", "text"), BROKEN, ids=[f"{name}-{test[5:]}" for name, test, _ in BROKEN])
def test_a_broken_promise_is_found(
    name: str, test: str, text: str, renamed: Callable[[type[Connector[Any]]], Path]
) -> None:
    connector: type[Connector[Any]] = getattr(broken_lms, name)
    told = failure(connector, test, renamed(connector))

    assert text in told


@pytest.fixture
def renamed(tmp_path: Path) -> Renamed:
    """Give the fixtures that a connector is held against, under its own name."""

    def renamed(connector: type[Connector[Any]]) -> Path:
        names = [str(kind.__dict__["name"]) for kind in connector.__mro__ if kind.__dict__.get("name")]
        copy(names[-1], tmp_path, lambda said: {**said, "connector": connector.name})
        return tmp_path

    return renamed


def copy(base: str, folder: Path, change: Callable[[dict[str, Any]], dict[str, Any]], only: str = "*") -> None:
    """Copy fixtures, with another file of what is expected."""
    for har in (FIXTURES / base).glob(f"{only}.har.json"):
        (folder / har.name).write_text(har.read_text(encoding="utf-8"), encoding="utf-8")
        expected = har.with_name(har.name.replace(".har.", ".expected."))
        said = change(json.loads(expected.read_text(encoding="utf-8")))
        (folder / expected.name).write_text(json.dumps(said), encoding="utf-8")


def test_every_promise_has_someone_who_breaks_it() -> None:
    """A test that cannot fail is a defect: these are shown to fail above, the others below."""
    below = {
        "test_some_list_goes_on_for_a_second_page",
        "test_ids_are_the_same_in_every_strategy",
        "test_secrets_of_a_case_are_made_up",
    }

    assert promises().keys() - {test for _, test, _ in BROKEN} == below


@pytest.mark.parametrize("test", sorted(promises()))
def test_a_promise_is_said_in_the_docstring(test: str) -> None:
    assert len(promises()[test]) > 30


def test_a_list_that_is_left_early_is_found(tmp_path: Path) -> None:
    """Where the recording ends with the last learner, only the list itself tells that it goes on."""
    copy("guild", tmp_path, lambda said: said, "tenant")
    file = tmp_path / "tenant.har.json"
    har = json.loads(file.read_text(encoding="utf-8"))
    har["log"]["entries"] = [
        entry for entry in har["log"]["entries"] if not ("learners?" in entry["request"]["url"] and _is_bare(entry))
    ]
    file.write_text(json.dumps(har), encoding="utf-8")
    told = failure(broken_lms.LeavesLists, "test_a_tenant_is_read_to_its_last_page_as_expected", tmp_path)

    assert "was left after" in told


def _is_bare(entry: dict[str, Any]) -> bool:
    page = entry["request"]["url"].rpartition("page=")[2]
    return not entry["response"]["content"]["_json"].get("items") and page != "1"


def test_a_suite_without_the_case_of_an_empty_tenant_fails(tmp_path: Path) -> None:
    copy("guild", tmp_path, lambda said: said, "tenant")

    assert "there is no case `empty`" in failure(Guild, "test_an_empty_tenant_is_read_without_complaint", tmp_path)


def test_a_suite_without_a_second_page_fails(tmp_path: Path) -> None:
    copy("guild", tmp_path, lambda said: said, "empty")

    assert "with a second page" in failure(Guild, "test_some_list_goes_on_for_a_second_page", tmp_path)


def test_a_suite_without_a_recorded_check_fails(tmp_path: Path) -> None:
    copy("guild", tmp_path, lambda said: said, "empty")
    told = failure(Guild, "test_a_check_proves_the_credentials", tmp_path)

    assert "check() asks for what no case has recorded" in told
    assert "GET https://guild.example.com/api/me" in told


def test_a_suite_without_a_recorded_single_reading_fails(tmp_path: Path) -> None:
    copy("guild", tmp_path, lambda said: said, "tenant")
    file = tmp_path / "tenant.har.json"
    har = json.loads(file.read_text(encoding="utf-8"))
    har["log"]["entries"] = [entry for entry in har["log"]["entries"] if entry.get("_use") != "fetch"]
    file.write_text(json.dumps(har), encoding="utf-8")
    told = failure(Guild, "test_a_single_enrollment_is_the_one_of_the_whole", tmp_path)

    assert "no single enrollment can be read from the recording" in told


def test_a_secret_that_may_be_real_fails_and_is_not_shown(tmp_path: Path) -> None:
    copy("guild", tmp_path, lambda said: {**said, "settings": {"client_secret": "s3cr3t"}})
    told = failure(Guild, "test_secrets_of_a_case_are_made_up", tmp_path)

    assert "client_secret does not begin with `made-up`" in told
    assert "s3cr3t" not in told


@pytest.mark.parametrize(("key", "told"), [("made-up-key", ""), ("k3y", "client_secret does not begin with `made-up`")])
def test_each_text_of_a_key_file_is_made_up(key: str, told: str, tmp_path: Path) -> None:
    file = json.dumps({"client_email": "made-up-email", "private_key": key})
    copy("guild", tmp_path, lambda said: {**said, "settings": {"client_secret": file}})
    found = failure(Guild, "test_secrets_of_a_case_are_made_up", tmp_path)

    assert told in found
    assert bool(found) == bool(told)
    assert "k3y" not in found


def test_a_connector_that_no_other_process_finds_fails() -> None:
    class Inner(Guild):
        """Stands inside a function."""

        __module__ = "guild_lms"

    told = failure(Inner, "test_a_partition_reads_the_same_in_a_fresh_process", FIXTURES / "guild")

    assert "Inner stands inside a function" in told


def test_strategies_with_other_ids_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rollbook.core.registry import registry

    monkeypatch.setitem(registry.classes, "guild", {"": Guild, "by_name": broken_lms.ByName})
    copy("guild", tmp_path, lambda said: {**said, "tenant": "one"}, "tenant")
    for file in list(tmp_path.iterdir()):
        said = json.loads(file.read_text(encoding="utf-8"))
        if "settings" in said:
            said["settings"]["strategy"] = "by_name"
        (tmp_path / f"named-{file.name}").write_text(json.dumps(said), encoding="utf-8")
    told = failure(Guild, "test_ids_are_the_same_in_every_strategy", tmp_path)

    assert "of the tenant 'one' only one of them has" in told


def test_a_strategy_without_a_case_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rollbook.core.registry import registry

    monkeypatch.setitem(registry.classes, "guild", {"": Guild, "by_name": broken_lms.ByName})
    copy("guild", tmp_path, lambda said: said)

    assert "no tenant is read by every strategy" in failure(Guild, "test_ids_are_the_same_in_every_strategy", tmp_path)


def test_an_exemption_names_a_test_and_gives_a_reason() -> None:
    with pytest.raises(UnknownName, match="unknown conformance test 'test_thing'"):
        conformance_tests(Guild, FIXTURES / "guild", exempt={"test_thing": "because"})
    with pytest.raises(SettingsError, match="gives no reason"):
        conformance_tests(Guild, FIXTURES / "guild", exempt={"test_throttling_is_waited_out": " "})


def test_an_exempt_test_is_skipped_with_its_reason() -> None:
    suite = conformance_tests(Guild, FIXTURES / "guild", exempt={"test_throttling_is_waited_out": "it has no limits"})
    with pytest.raises(pytest.skip.Exception, match="exempt: it has no limits"):
        suite().test_throttling_is_waited_out()  # type: ignore[call-arg]


def test_a_case_of_another_connector_is_refused() -> None:
    with pytest.raises(SettingsError, match="it is a case of 'guild', not of 'windows'"):
        conformance_tests(broken_lms.Windows, FIXTURES / "guild")


def test_a_folder_without_cases_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no recording"):
        conformance_tests(Guild, tmp_path)
