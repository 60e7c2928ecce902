"""Promises about reading a tenant: to its last page, into what is expected, and never for ever."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...http.answer import dig
from ...native import dump, parse
from ..expected import check_expected
from ..match import described
from ..replay import read_case
from .lms import Endless, Fault, Scripted, answer_of
from .promise import Promises, broken
from .shapes import key_of, lists_by_name, paging, shape

if TYPE_CHECKING:
    import httpx

    from ..har import Exchange
    from .readings import ListRead
    from .shapes import Paging
    from .trial import Trial

__all__ = ["ReadingPromises", "paged_lists"]

NEVER = 1_000_000
"""A step that no run comes to: it ends, and another one begins."""
NOTICE = "Page with `self.http.paged`, which notices it, or raise a ContractError at a page that came before."


class ReadingPromises(Promises):
    """Whole tenants, empty ones, repeating pages, totals."""

    def test_a_tenant_is_read_to_its_last_page_as_expected(self, trial: Trial, request: Any) -> None:
        """All that is recorded is asked for, each list says why it ends, and what is expected comes out."""
        __tracebackhide__ = True
        case = replace(trial.case, connector=trial.case.connector or trial.connector)
        with trial.known():
            found = read_case(case)
        for one in trial.whole.lists:
            _ends(trial, one)
        check_expected(case, found, update=bool(request.config.getoption("--update-expected", default=False)))

    def test_an_empty_tenant_is_read_without_complaint(self) -> None:
        """The case `empty`, a tenant with nothing in it, gives no enrollment, no failure, no alarm about removals."""
        __tracebackhide__ = True
        empty = [trial for trial in self.trials if trial.is_empty]
        if not empty:
            broken(
                self.connector,
                "there is no case `empty`",
                "Record a tenant with nothing in it as empty.har.json, with empty.expected.json beside it.",
            )
        for trial in empty:
            reading = trial.whole
            if reading.found:
                broken(trial.name, f"{len(reading.found)} enrollments in an empty tenant", "Record one without any.")
            if reading.errors:
                broken(
                    trial.name, f"reading an empty tenant fails: {reading.errors[0]}", "An empty list is no failure."
                )
            report = trial.sync(cut_after=[NEVER]).report
            if report.outcome != "complete" or report.removals_held:
                broken(
                    trial.name,
                    f"the sync ends as {report.outcome}, {report.removals_held} removals held",
                    "An empty tenant is read completely.",
                )

    def test_a_page_that_repeats_is_noticed(self, trial: Trial) -> None:
        """Where every further page of a list is its first one again, reading ends soon and says so."""
        __tracebackhide__ = True
        for one in paged_lists(trial):
            first = one.first

            def again(request: httpx.Request, recorded: httpx.Response, first: Exchange = first) -> httpx.Response:
                del recorded
                return answer_of(first, request)

            reading = trial.under(("repeats", key_of(first)), Scripted(Fault("repeats", again), one.is_further))
            what = f"when each further page of {described(first)} is the first one again"
            if isinstance(reading.error, Endless):
                broken(
                    trial.name,
                    f"{what}, reading never ends ({len(reading.lms.asked)} requests)",
                    NOTICE,
                )
            if not reading.errors and reading.findings.duplicates <= trial.whole.findings.duplicates:
                broken(
                    trial.name,
                    f"{what}, reading ends without a word",
                    NOTICE,
                )

    def test_some_list_goes_on_for_a_second_page(self) -> None:
        """At least one case holds a list of two pages: else nothing here tells whether the second one is read."""
        __tracebackhide__ = True
        if not any(paged_lists(trial) for trial in self.trials):
            broken(
                self.connector,
                "no case holds a list with a second page",
                "Record a tenant with more than one page, or cut a recorded list in two.",
            )

    def test_the_total_that_the_lms_tells_is_what_came(self, trial: Trial) -> None:
        """Where the LMS says how many records a partition holds, so many came."""
        __tracebackhide__ = True
        for key, said, came in trial.synced.report.totals:
            broken(
                trial.name,
                f"the LMS says that the partition {key} holds {said}, and {came} came",
                "Is a page lost, or does the total count something else? Then leave it out of the page.",
            )

    def test_a_total_that_disagrees_is_reported(self, trial: Trial) -> None:
        """Where fewer records come than the LMS says, that is reported."""
        __tracebackhide__ = True
        mine = {key_of(one) for part in trial.partitions for one in part.asked}
        for one in trial.whole.lists:
            page = _last_page(trial, one)
            if one.total is None or page is None or key_of(page) not in mine:
                continue
            place = str(one.items)

            def fewer(request: httpx.Request, recorded: httpx.Response, place: str = place) -> httpx.Response:
                del request
                return _without_last(recorded, place)

            befalls = key_of(page)
            synced = trial.try_sync(Scripted(Fault("fewer", fewer), lambda asked, key=befalls: key_of(asked) == key))
            if synced is not None and not synced.report.totals and not synced.report.failures:
                broken(
                    trial.name,
                    f"the LMS tells a total with {described(page)}; one record less came, and nothing was said",
                    "Pass it on: Page(..., total=answer.total). If it counts something else, exempt this test.",
                )
            return  # one is enough: they are read by the same code


def paged_lists(trial: Trial) -> list[Paging]:
    """Give the lists of a case that have a second page, one of each kind."""
    exchanges = trial.har.exchanges
    found = [
        paging([exchanges[number] for number in dict.fromkeys(one.numbers)])
        for one in trial.whole.lists
        if len(set(one.numbers)) > 1
    ]
    covered = {key_of(page) for one in found for page in (one.first, *one.further)}
    found += [one for one in lists_by_name(trial.recorded) if key_of(one.first) not in covered]
    return list({shape(one.first): one for one in reversed(found)}.values())


def _ends(trial: Trial, one: ListRead) -> None:
    __tracebackhide__ = True
    if not one.stop and not one.failed and not trial.case.sample:
        broken(
            trial.name,
            f"the list {one.place} was left after {one.pages} pages, although it goes on",
            "Read each list to its end: whoever leaves it early loses what stands on later pages.",
        )


def _last_page(trial: Trial, one: ListRead) -> Exchange | None:
    """Give the last page of a list that holds items which can be taken away."""
    if not isinstance(one.items, str):
        return None
    for number in reversed(one.numbers):
        exchange = trial.har.exchanges[number]
        items = dig(parse(exchange.content), one.items)
        if isinstance(items, list) and items:
            return exchange
    return None


def _without_last(recorded: httpx.Response, place: str) -> httpx.Response:
    body = parse(recorded.content)
    items = dig(body, place)
    if isinstance(items, list) and items:
        items.pop()
    recorded.headers.pop("content-length", None)
    return type(recorded)(recorded.status_code, headers=recorded.headers, content=dump(body).encode())
