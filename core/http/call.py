"""A request as it was meant, and the attempts to get its answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx
from tenacity import AsyncRetrying, RetryCallState

from ..errors import AuthError, ContractError, Gone, RateLimited, RollbookError, SettingsError, VendorError
from .address import Site, encoded, origin
from .retry import Again, Backoff, retry_after
from .verdict import Act, Verdict, read
from .wire import log, name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from ..native import JSON
    from .answer import Answer
    from .auth import Auth
    from .wire import Sink, Wire

__all__ = ["Call", "Caller"]

AGENT = {"User-Agent": "rollbook", "Accept": "application/json", "Accept-Encoding": "gzip"}
REDIRECTS = 5
_MOVED = frozenset({301, 302, 303, 307, 308})


@dataclass(slots=True, kw_only=True)
class Call:
    """A request as the connector meant it, to be built anew for each attempt."""

    method: str
    url: httpx.URL
    headers: Mapping[str, str]
    max_bytes: int
    form: list[tuple[str, str]] | None = None
    json: JSON = None
    sink: Sink | None = None
    other_host: bool = False
    """It may lead to another host, where it is not signed in."""
    renewed: bool = False
    reread: bool = False

    def request(self, url: httpx.URL) -> httpx.Request:
        """Build it, for its own address or one that it was redirected to."""
        if self.form is None:
            return httpx.Request(self.method, url, headers=self.headers, json=self.json)
        headers = {**self.headers, "Content-Type": "application/x-www-form-urlencoded"}
        return httpx.Request(self.method, url, headers=headers, content=encoded(self.form))


@dataclass(slots=True, kw_only=True)
class Caller:
    """Gets answers: signs in, follows, judges, tries again."""

    wire: Wire
    site: Site
    auth: Auth | None
    verdict: Callable[[Answer], Verdict | None] | None
    backoff: Backoff
    attempts: int
    max_bytes: int
    secrets: set[str]
    _answered: bool = field(default=False, init=False)

    async def ask(self, call: Call, *, retry: bool = True) -> Answer:
        """Get the answer to a call.

        Raises:
            RollbookError: What the last verdict says.
        """
        return await self._persist(partial(self._attempt, call), retry=retry)

    # what an Auth may use

    def now(self) -> float:
        """Give the time, in seconds since 1970."""
        return self.wire.clock()

    def url(self, path: str) -> httpx.URL:
        """Resolve a path against the LMS's address; a whole address is taken as it is."""
        return self.site.url(path, other_host=True)

    async def plain(self, request: httpx.Request) -> Answer:
        """Send a request without signing it in, again where the network or the LMS fails; for tokens."""
        for header, value in AGENT.items():
            request.headers.setdefault(header, value)
        return await self._persist(partial(self._plainly, request), retry=True)

    async def _plainly(self, request: httpx.Request) -> Answer:
        answer = await self.wire.send(request, self.max_bytes, counted=False)
        self._answered = True
        verdict = read(answer)
        if verdict.act in {Act.RETRY, Act.THROTTLED}:
            raise self._again(verdict, answer)
        return answer

    # attempts

    async def _persist(self, attempt: Callable[[], Awaitable[Answer]], *, retry: bool) -> Answer:
        try:
            try:
                return await attempt()  # most need no other, and tenacity takes a fifth of a millisecond to begin with
            except Again as again:
                first = again
            return await self._retrying(retry=retry)(_following(first, attempt))
        except Again as again:
            raise self._scrubbed(again.error) from None
        except RollbookError as error:
            raise self._scrubbed(error) from None

    def _retrying(self, *, retry: bool) -> AsyncRetrying:
        return AsyncRetrying(
            sleep=self.wire.sleep,
            wait=self.backoff,
            stop=self._is_enough,
            retry=partial(_is_worth_it, retry=retry),
            before_sleep=self._before_sleep,
            reraise=True,
        )

    def _is_enough(self, state: RetryCallState) -> bool:
        error = _error(state)
        # a host that never answered is most likely a wrong base_url: say so soon
        hopeless = isinstance(error, Again) and error.unreachable and not self._answered
        return state.attempt_number >= (min(2, self.attempts) if hopeless else self.attempts)

    def _before_sleep(self, state: RetryCallState) -> None:
        error, wait = _error(state), state.upcoming_sleep
        self.wire.stats.retries += 1
        self.wire.stats.waited += wait
        if isinstance(error, Again):
            log.debug("%s: attempt %d follows in %.1f s", error.error.where, state.attempt_number + 1, wait)
            if error.throttled:
                self.wire.limiter.pause(self.now() + wait)

    async def _attempt(self, call: Call) -> Answer:
        request, answer = await self._reach(call)
        self._answered = True
        verdict = self._judge(request, answer)
        match verdict.act:
            case Act.ACCEPT:
                self._look_into(call, answer)
                return answer
            case Act.REAUTH:
                return await self._reauth(call, request, verdict, answer)
            case Act.FAIL:
                if (
                    verdict.error is Gone and request.url.path != call.url.path
                ):  # a login page, say; not the thing itself
                    raise ContractError("the LMS redirects to a place that is not there", where=answer.request)
                raise verdict.error(verdict.reason, where=answer.request, hint=verdict.hint)
            case _:
                raise self._again(verdict, answer)

    def _look_into(self, call: Call, answer: Answer) -> None:
        """Ask once more where JSON was promised and is none: most likely something cut it on the way."""
        kind = answer.headers.get("content-type", "")
        if call.sink or call.reread or not 200 <= answer.status < 300 or answer.status == 204 or "json" not in kind:  # noqa: PLR2004
            return
        try:
            answer.json()
        except ContractError as error:
            call.reread = True
            raise Again(error) from None

    async def _reach(self, call: Call) -> tuple[httpx.Request, Answer]:
        """Send a request and follow where it is redirected to, within the host."""
        request = await self._signed(call, call.url)
        for _ in range(REDIRECTS + 1):
            answer = await self.wire.send(request, call.max_bytes, call.sink)
            target = answer.headers.get("location") if answer.status in _MOVED else None
            if target is None:
                return request, answer
            request = await self._signed(call, self._redirected(call, request, answer, target))
        raise ContractError(f"the LMS redirects more than {REDIRECTS} times", where=name(request))

    async def _signed(self, call: Call, url: httpx.URL) -> httpx.Request:
        if not self.site.holds(url):  # it gets nothing of ours: no sign-in, no header of the connection
            return httpx.Request("GET", url, headers={**AGENT, "Accept": "*/*"})
        try:
            request = call.request(url)
        except UnicodeEncodeError:  # its text quotes the value
            hint = "Is there an odd character in a setting that goes into a header?"
            raise SettingsError("the request cannot be sent as it is", where=call.method, hint=hint) from None
        if self.auth:
            await self.auth.ready(self)
            request = self.auth.sign(request)
        return request

    def _redirected(self, call: Call, request: httpx.Request, answer: Answer, target: str) -> httpx.URL:
        try:
            url = request.url.join(target).copy_with(userinfo=b"", fragment=None)
        except httpx.InvalidURL:
            raise ContractError("the LMS redirects to what is no address", where=answer.request) from None
        if call.method == "GET" and (self.site.holds(url) or (call.other_host and self.site.is_safe(url))):
            return url
        place = url.path if self.site.holds(url) else origin(url)
        hint = "Put the address that it redirects to into base_url, if that is the LMS."
        raise ContractError(f"the base_url is wrong: it redirects to {place}", where=answer.request, hint=hint)

    def _judge(self, request: httpx.Request, answer: Answer) -> Verdict:
        usual = read(answer)
        if not self.site.holds(request.url):  # another host: the connector's own reading does not hold there
            if usual.act in {Act.FAIL, Act.REAUTH}:
                return Verdict.fail(VendorError, f"the download is not there ({answer.status})")
            return usual
        try:
            own = self.verdict(answer) if self.verdict else None
        except ContractError:  # it wanted to look into a body that is no JSON: the usual reading says what that is
            return usual
        return own or usual

    async def _reauth(self, call: Call, request: httpx.Request, verdict: Verdict, answer: Answer) -> Answer:
        if self.auth and not call.renewed and await self.auth.renew(request, self):
            call.renewed = True
            return await self._attempt(call)
        hint = verdict.hint or "Check the credentials in the settings of this connection."
        raise AuthError(verdict.reason, where=answer.request, hint=hint)

    def _again(self, verdict: Verdict, answer: Answer) -> Again:
        """Make the signal for another attempt, unless the LMS asks for too long a wait."""
        throttled = verdict.act is Act.THROTTLED
        after = retry_after(answer.headers, self.now()) if verdict.after is None else max(verdict.after, 0.0)
        if after is not None and after > self.wire.max_wait:
            if throttled:
                self.wire.limiter.pause(self.now() + after)
            hint = f"It asks to come back in {after:.0f} s. Start again then: what was read so far is kept."
            raise RateLimited(verdict.reason, where=answer.request, hint=hint, retry_after=after)
        hint = verdict.hint or f"It was asked {self.attempts} times: try again later."
        if throttled:
            error = RateLimited(verdict.reason, where=answer.request, hint=hint, retry_after=after)
        else:
            error = VendorError(verdict.reason, where=answer.request, hint=hint)
        return Again(error, after=after, throttled=throttled)

    def _scrubbed(self, error: RollbookError) -> RollbookError:
        """Take secrets out of an error's texts: a second wall, none should be there."""
        secrets = self.secrets.union(self.auth.secrets() if self.auth else ())
        forms = {form for secret in secrets for form in (secret, quote(secret, safe="")) if len(secret) >= SHORTEST}
        for secret in sorted(forms, key=len, reverse=True):
            error.message = error.message.replace(secret, "***")
            error.where = error.where.replace(secret, "***")
            error.hint = error.hint.replace(secret, "***")
        error.args = (error.message,)
        return error


SHORTEST = 4
"""A shorter secret is not looked for in texts: it would be found in every other word."""


def _following(first: Again, attempt: Callable[[], Awaitable[Answer]]) -> Callable[[], Awaitable[Answer]]:
    """Give the attempts from the first one on, which has failed already."""
    failed = [first]

    async def next_one() -> Answer:
        if failed:
            raise failed.pop()
        return await attempt()

    return next_one


def _is_worth_it(state: RetryCallState, *, retry: bool) -> bool:
    error = _error(state)
    return isinstance(error, Again) and (retry or error.untouched)


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
