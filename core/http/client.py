"""The HTTP client of a connection: one host, one sign-in, one quota."""

from __future__ import annotations

import asyncio
import random
import sys
from contextlib import asynccontextmanager, closing
from functools import cache
from importlib.util import find_spec
from typing import IO, TYPE_CHECKING, Literal, Self
from urllib.parse import quote

import httpx

from ..errors import ContractError
from .address import Site, pairs
from .call import AGENT, Call, Caller
from .download import Download
from .limits import keep, limiter
from .lists import note_page
from .pace import pace
from .pagination import PageAnswer, Stop
from .reach import guard
from .retry import Backoff
from .rows import read_rows
from .sample import Cut, Sample
from .wire import Stats, Wire, log, name, quiet

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
    from types import TracebackType

    from ..native import JSON, NativeRecord
    from .address import Params
    from .answer import Answer
    from .auth import Auth
    from .limits import Limit
    from .pagination import Paginator
    from .quota import Quota
    from .verdict import Verdict

__all__ = ["Http"]

MIB = 1 << 20


class Http:
    """Asks one LMS: signs in, keeps to its limits, tries again, and says what went wrong.

    Args:
        base_url: The address that paths are relative to. Requests that are signed in go to no other host.
        auth: Signs requests in.
        verdict: Reads the LMS's own signs in an answer; None from it: the usual reading.
        quota: Reads what an answer says of the quota; None from it: the usual headers.
        key: Names the quota: everything in this process with the same key shares limits and pauses.
        timeout: Seconds that the LMS may be silent.
        max_wait: The longest wait that the LMS may ask for; beyond it `RateLimited` is raised.
        max_bytes: The largest answer, compressed or not.
        attempts: How often a request is sent at most.
        headers: Sent with every request to the LMS.
        transport: In place of the network.
        secrets: Kept out of every error's text.
        sleep: Waits; by default as `pace()` does.
        clock: Tells the time, in seconds since 1970.
        rng: Spreads the pauses between attempts.
        sample: How much of each list is read; None for all.
        allow_link_local: Also ask hosts at link-local addresses and at those of clouds' metadata.
    """

    def __init__(
        self,
        base_url: str,
        *,
        auth: Auth | None = None,
        verdict: Callable[[Answer], Verdict | None] | None = None,
        quota: Callable[[Answer], Quota | None] | None = None,
        key: str = "",
        timeout: float = 60.0,
        max_wait: float = 120.0,
        max_bytes: int = 64 * MIB,
        attempts: int = 6,
        headers: Mapping[str, str] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        secrets: Collection[str] = (),
        sleep: Callable[[float], Awaitable[None]] | None = None,
        clock: Callable[[], float] | None = None,
        rng: random.Random | None = None,
        sample: Sample | None = None,
        allow_link_local: bool = False,
    ) -> None:
        quiet()
        _settle_library()
        time = pace()
        self.sample = sample or Sample()
        self.stats = Stats()
        self._site = Site(base_url, allow_link_local=allow_link_local)
        self._headers = {**AGENT, **(headers or {})}
        self._max_bytes = max_bytes
        patience = httpx.Timeout(timeout, connect=min(timeout, 20.0), pool=None)
        self._client = httpx.AsyncClient(timeout=patience, transport=transport, verify=_certificates())
        if transport is None:
            guard(self._client, self._site.base.host, allow=allow_link_local)
        self._key = key and f"{time.world if clock is None else id(clock)} {key}"
        self._limiter = limiter(self._key)
        sleep, clock = sleep or time.sleep, clock or time.now
        self._clock = clock
        self._caller = Caller(
            wire=Wire(self._client, self._limiter, self.stats, timeout, max_wait, sleep, clock, self._site, quota),
            site=self._site,
            auth=auth,
            verdict=verdict,
            backoff=Backoff(rng or random.Random(), cap=min(60.0, max_wait)),  # noqa: S311 - jitter is no secret
            attempts=attempts,
            max_bytes=max_bytes,
            secrets=set(secrets),
        )

    async def get(self, path: str, params: Params | None = None, *, headers: Mapping[str, str] | None = None) -> Answer:
        """Ask with GET. A path is relative to `base_url`, with or without a slash before it.

        Raises:
            RollbookError: What the verdict says: `AuthError`, `Forbidden`, `Gone`, `RateLimited`, `VendorError` ...
        """
        call = Call(
            method="GET", url=self._site.url(path, params), headers=self._with(headers), max_bytes=self._max_bytes
        )
        return await self._caller.ask(call)

    async def post(
        self,
        path: str,
        *,
        params: Params | None = None,
        form: Params | None = None,
        json: JSON = None,
        headers: Mapping[str, str] | None = None,
        retry: bool = True,
    ) -> Answer:
        """Ask with POST, with a form or with JSON.

        Args:
            path: Relative to `base_url`.
            params: For the query.
            form: The body, as a form.
            json: The body, as JSON.
            headers: For this request.
            retry: False for what must not be done twice: then only what the LMS surely did not take is sent again.
        """
        call = Call(
            method="POST",
            url=self._site.url(path, params),
            headers=self._with(headers),
            form=pairs(form) if json is None else None,
            json=json,
            max_bytes=self._max_bytes,
        )
        return await self._caller.ask(call, retry=retry)

    async def paged(
        self,
        path: str,
        params: Params | None,
        paginator: Paginator,
        *,
        items: str | Callable[[Answer], Sequence[NativeRecord]] = "",
        start: JSON = None,
        method: Literal["GET", "POST"] = "GET",
        form: Params | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncGenerator[PageAnswer]:
        """Read a list page by page.

        Args:
            path: Relative to `base_url`. `{name}` in it takes the paginator's parameter of that name.
            params: For the query.
            paginator: Knows how the list goes on. With POST its parameters go into the form.
            items: Where the items stand in an answer: a dotted path, or what gives all of them.
            start: The `next` of an earlier page, to go on behind it.
            method: Moodle and its like ask with POST.
            form: With POST, the form that each page is asked for with.
            headers: For these requests.

        Raises:
            ContractError: The list repeats itself.
        """
        cursor, seen, pages = start, {hash(repr(start))}, 0
        previous: Sequence[NativeRecord] = ()
        while True:
            query, fields = pairs(params), pairs(form)
            ask = paginator.ask(cursor)
            place, own = _filled(path, ask.params)
            (fields if method == "POST" else query).extend(pairs(own))
            call = Call(
                method=method,
                url=self._site.link(ask.link) if ask.link else self._site.url(place, query),
                headers=self._with(headers),
                form=fields if method == "POST" else None,
                max_bytes=self._max_bytes,
            )
            answer = await self._caller.ask(call)
            found = answer.items(items) if isinstance(items, str) else items(answer)
            following = paginator.after(cursor, answer, found)
            stop = following.reason if isinstance(following, Stop) else ""
            cursor = None if isinstance(following, Stop) else following
            if (found and found == previous) or (not stop and hash(repr(cursor)) in seen):
                hint = "The LMS does not heed the paging parameters, or gives its last page for ever."
                raise ContractError("the list repeats itself", where=answer.request, hint=hint)
            pages += 1
            note_page(pages, len(found))
            if not stop and pages == self.sample.pages:
                cursor, stop = None, f"sample of {pages} pages"
            kept = self._sampled(found, answer, items)
            total = None if self.sample.items or self.sample.pages else paginator.total(answer)
            if stop:
                log.debug("%s: the list ends after %d pages: %s", answer.request, pages, stop)
            yield PageAnswer(kept, answer, cursor, total, stop)
            if stop:
                return
            seen.add(hash(repr(cursor)))
            previous = found

    def _sampled(self, found: Sequence[NativeRecord], answer: Answer, items: object) -> Sequence[NativeRecord]:
        most = self.sample.items
        if not most or len(found) <= most:
            return found
        self.sample.cuts.append(Cut(answer.url, items if isinstance(items, str) else None, most))
        return found[:most]

    @asynccontextmanager
    async def download(
        self,
        path: str,
        params: Params | None = None,
        *,
        max_bytes: int = 1024 * MIB,
        other_host: bool = False,
        expand: bool = False,
    ) -> AsyncGenerator[IO[bytes]]:
        """Fetch a large body into a private temporary file, which is open inside `async with`.

        Args:
            path: Relative to `base_url`, or a whole address.
            params: For the query.
            max_bytes: The most that is taken, compressed or not.
            other_host: The address may be another host's (a signed link), which is asked without signing in.
            expand: Decompress a body that is itself a gzip file, or a zip file with one file in it.
        """
        with Download(max_bytes, expand=expand) as file:
            call = Call(
                method="GET",
                url=self._site.url(path, params, other_host=other_host),
                headers={**self._headers, "Accept": "*/*"},
                sink=file,
                max_bytes=max_bytes,
                other_host=other_host,
            )
            answer = await self._caller.ask(call)
            # what is inside a large archive takes seconds
            yield await asyncio.to_thread(file.finish, answer.request)

    async def rows(
        self,
        path: str,
        params: Params | None = None,
        *,
        columns: Collection[str] = (),
        max_bytes: int = 1024 * MIB,
        other_host: bool = False,
    ) -> AsyncGenerator[list[NativeRecord]]:
        """Download a CSV file, zipped or not, and give its rows a thousand at a time; see `read_rows`.

        Args:
            path: Relative to `base_url`, or a whole address.
            params: For the query.
            columns: Which ones are wanted; empty for all.
            max_bytes: The most that is taken, zipped or not.
            other_host: As for `download`.
        """
        where = name(httpx.Request("GET", self._site.url(path, params, other_host=other_host)))
        async with self.download(path, params, max_bytes=max_bytes, other_host=other_host, expand=True) as file:
            with closing(read_rows(file, where, columns)) as batches:
                for batch in batches:
                    yield batch
                    await asyncio.sleep(0)  # reading a file waits for nobody: let others have their turn

    def limit(self, limits: Sequence[Limit]) -> None:
        """Keep to these limits from now on, together with everything that shares the key."""
        self._limiter.add(limits)

    async def aclose(self) -> None:
        """Close the connections. What was used of the quota stays known in this process."""
        keep(self._key, self._clock)
        await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _with(self, headers: Mapping[str, str] | None) -> Mapping[str, str]:
        return {**self._headers, **headers} if headers else self._headers


def _filled(path: str, params: Mapping[str, JSON]) -> tuple[str, dict[str, JSON]]:
    """Put parameters into a path that has places for them; the others remain."""
    rest = dict(params)
    for field in [field for field in rest if f"{{{field}}}" in path]:
        path = path.replace(f"{{{field}}}", quote(str(rest.pop(field)), safe=""))
    return path, rest


@cache
def _settle_library() -> None:
    """Tell Python once that there is no `sniffio`: httpcore looks for it at each request, for a quarter of its cost."""
    if find_spec("sniffio") is None:
        sys.modules["sniffio"] = None  # pyright: ignore[reportArgumentType] - which is how Python is told


@cache
def _certificates() -> ssl.SSLContext:
    """Read the certificates to trust once in this process: it takes ten times as long as all else of opening."""
    return httpx.create_ssl_context()
