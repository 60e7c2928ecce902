"""Promises about bad days: what an LMS, a proxy or the network does is waited out or told, never hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ...errors import AuthError, Forbidden, RollbookError
from ..match import described
from . import faults
from .harm import belonging, harms, others_given
from .lms import Endless, Scripted
from .promise import Promises, broken, few
from .shapes import key_of

if TYPE_CHECKING:
    from ..har import Exchange
    from .harm import Harm
    from .lms import Fault
    from .readings import Reading
    from .trial import Trial

__all__ = ["FaultPromises"]

ASK = "Ask with `self.http`, and raise what its verdict says; catch only what means that there is no data."


class FaultPromises(Promises):
    """One fault each, at the first and the last request of each kind."""

    def test_a_refused_sign_in_is_an_auth_error(self, trial: Trial) -> None:
        """401 is an AuthError that says what to do; where a token can be renewed, a single 401 changes nothing."""
        __tracebackhide__ = True
        for harm in harms(trial, faults.REFUSED):
            _sane(trial, harm)
            if _is_foreign(trial, harm.at):
                _told(trial, harm)
            elif not any(isinstance(error, AuthError) and error.hint for error in harm.reading.errors):
                broken(
                    trial.name,
                    f"{_at(harm)}, which is no AuthError with a hint but {_outcome(harm.reading)}",
                    "Let 401 be: its usual verdict is AuthError, after a renewable token was renewed.",
                )
        for harm in harms(trial, faults.REFUSED_ONCE):
            _sane(trial, harm)
            if not harm.is_none and (trial.renews(harm.at) or not harm.told):
                broken(
                    trial.name,
                    f"{_at(harm)}: the token is not renewed, and reading gives {_outcome(harm.reading)}",
                    "Let 401 be, or give Verdict.reauth for it: then a renewable token is renewed, once.",
                )

    def test_a_forbidden_tenant_never_reads_as_empty(self, trial: Trial) -> None:
        """403 everywhere (but where tokens are given out) is told; 403 anywhere takes no enrollment away in silence."""
        __tracebackhide__ = True
        reading = trial.under("403", Scripted(faults.WITHHELD, lambda asked: key_of(asked) not in trial.sign_in))
        if not any(isinstance(error, (Forbidden, AuthError)) for error in reading.errors):
            broken(
                trial.name,
                f"with 403 everywhere, reading gives {_outcome(reading)}",
                "Let Forbidden through: a tenant that may not be read must not look like an empty one.",
            )
        for harm in harms(trial, faults.WITHHELD):
            _sane(trial, harm)
            _kept(trial, harm)

    def test_an_item_that_is_gone_takes_no_other_with_it(self, trial: Trial) -> None:
        """404 on one item leaves all others as they are; 404 on a list is told."""
        __tracebackhide__ = True
        for harm in harms(trial, faults.NOT_FOUND):
            _sane(trial, harm, but=belonging(trial, harm.at))
            lost = (harm.missing | harm.altered) - belonging(trial, harm.at)
            if lost and not harm.told:
                broken(
                    trial.name,
                    f"{_at(harm)}, and {few(lost)} are not there or others, without a word",
                    "Gone means one item: let `verdict` make Forbidden or ContractError of a list that is not there.",
                )

    def test_throttling_is_waited_out(self, trial: Trial) -> None:
        """429 with Retry-After is waited out: the same result, and the repetition is counted."""
        __tracebackhide__ = True
        _recovers(trial, faults.THROTTLED)

    def test_a_server_error_is_tried_again(self, trial: Trial) -> None:
        """500 once makes no difference to what is read."""
        __tracebackhide__ = True
        _recovers(trial, faults.ONCE_500)

    def test_a_time_out_is_tried_again(self, trial: Trial) -> None:
        """A time-out once makes no difference."""
        __tracebackhide__ = True
        _recovers(trial, faults.TIME_OUT)

    def test_a_cut_connection_is_tried_again(self, trial: Trial) -> None:
        """A connection that is cut in the middle of an answer once makes no difference."""
        __tracebackhide__ = True
        _recovers(trial, faults.CUT)

    def test_a_lasting_server_error_is_told_and_leaves_the_rest(self, trial: Trial) -> None:
        """500 for ever is a reported failure of the parts that need the answer; the others are given."""
        __tracebackhide__ = True
        for harm in harms(trial, faults.FOR_EVER):
            _sane(trial, harm)
            _told(trial, harm)
            if withheld := others_given(trial, harm.at) & harm.missing:
                broken(
                    trial.name,
                    f"{_at(harm)}, and {few(withheld)} are not given, which are in other partitions",
                    "Let the error out of `pages` of its own partition; list partitions without reading them.",
                )

    def test_a_web_page_is_told(self, trial: Trial) -> None:
        """A web page instead of JSON (a login, a proxy's notice) is a reported failure."""
        __tracebackhide__ = True
        _is_told(trial, faults.HTML)

    def test_malformed_json_is_told(self, trial: Trial) -> None:
        """What is not JSON is a reported failure."""
        __tracebackhide__ = True
        _is_told(trial, faults.MALFORMED)

    def test_truncated_json_is_told(self, trial: Trial) -> None:
        """JSON that ends in the middle is a reported failure."""
        __tracebackhide__ = True
        _is_told(trial, faults.TRUNCATED)

    def test_an_empty_body_is_told(self, trial: Trial) -> None:
        """200 with nothing in it is a reported failure."""
        __tracebackhide__ = True
        for harm in harms(trial, faults.EMPTY_BODY, filled_only=True):
            _sane(trial, harm)
            _told(trial, harm)

    def test_json_of_another_shape_is_no_unforeseen_error(self, trial: Trial) -> None:
        """An object that nobody expects is told as such: no KeyError and the like, and no silent loss."""
        __tracebackhide__ = True
        for harm in harms(trial, faults.ODD_BODY, json_only=True):
            _sane(trial, harm)
            _kept(trial, harm)


def _recovers(trial: Trial, fault: Fault) -> None:
    __tracebackhide__ = True
    for harm in harms(trial, fault):
        _sane(trial, harm)
        if not harm.is_none:
            broken(
                trial.name,
                f"{_at(harm)}, which is not waited out: {_loss(harm) or _outcome(harm.reading)}",
                "Ask with `self.http`, which tries again. If this request must not be made twice, exempt this test.",
            )
        if not harm.reading.retries:
            broken(trial.name, f"{_at(harm)}, and no repetition is counted", ASK)


def _is_told(trial: Trial, fault: Fault) -> None:
    __tracebackhide__ = True
    for harm in harms(trial, fault, json_only=True):
        _sane(trial, harm)
        _told(trial, harm)


def _told(trial: Trial, harm: Harm) -> None:
    __tracebackhide__ = True
    if not harm.told:
        loss = _loss(harm) or "and reading goes on as if it were nothing"
        broken(trial.name, f"{_at(harm)}: no failure is reported; {loss}", ASK)


def _kept(trial: Trial, harm: Harm) -> None:
    __tracebackhide__ = True
    if harm.missing and not harm.told:
        broken(trial.name, f"{_at(harm)}: no failure is reported; {_loss(harm)}", ASK)


def _sane(trial: Trial, harm: Harm, but: set[str] | None = None) -> None:
    """Hold what is true under any fault: it ends, no error is unforeseen, what is given is as ever."""
    __tracebackhide__ = True
    if isinstance(harm.reading.error, Endless):
        broken(trial.name, f"{_at(harm)}: reading never ends ({len(harm.reading.lms.asked)} requests)", ASK)
    if unforeseen := harm.reading.unforeseen:
        broken(
            trial.name,
            f"{_at(harm)}: {unforeseen.partition(chr(10))[0]}",
            "Read answers with `items()`, `object()` and `find()`, which tell what is odd; expect no key to be there.",
        )
    # an enrollment that is folded of fewer parts is another one, and the missing part's failure was told
    odd = harm.altered - (but or set())
    if odd and harm.told and trial.kind.part is None:
        broken(trial.name, f"{_at(harm)}: {few(odd)} are not what they are otherwise", ASK)
    if harm.extra:
        broken(trial.name, f"{_at(harm)}: {few(harm.extra)} come that are not there otherwise", ASK)


def _at(harm: Harm) -> str:
    return f"{harm.fault.name} at {described(harm.at)}"


def _loss(harm: Harm) -> str:
    lost = [f"{few(harm.missing)} missing"] if harm.missing else []
    return ", ".join(lost + ([f"{few(harm.altered)} not as otherwise"] if harm.altered else []))


def _outcome(reading: Reading) -> str:
    if reading.errors:
        error = reading.errors[0]
        text = str(error).partition("\n")[0] if isinstance(error, RollbookError) else ""
        return f"{type(error).__name__}: {text}"
    return f"{len(reading.found)} enrollments and no error"


def _is_foreign(trial: Trial, at: Exchange) -> bool:
    """Tell whether a request goes to another host than the LMS's, where nobody signs in."""
    return urlsplit(at.url).netloc != urlsplit(trial.origin).netloc
