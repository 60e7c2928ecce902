"""Serving a vendor: as an ASGI app, on a thread of this process, or until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from uvicorn.config import LOGGING_CONFIG

from ..core.errors import SettingsError, UnknownName
from .canvas import Canvas
from .faults import Fault, Faults
from .quota import Quota
from .talentlms import TalentLMS
from .tenant import Tenant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from typing import Self

    from starlette.types import Message, Receive, Scope, Send

    from .vendor import Vendor

__all__ = ["VENDORS", "Application", "Sandbox", "app", "serve"]

VENDORS: dict[str, type[Vendor]] = {vendor.name: vendor for vendor in (TalentLMS, Canvas)}
"""Whose APIs it speaks."""

HOST = "127.0.0.1"
KEY = "sandbox-key-that-opens-nothing-else"
_HALF_A_BODY = b'[{"id": "1", "name": "Mara Qui'


class Application:
    """A vendor's API as an ASGI app: faults first, then credentials, quota, and the vendor's own answer."""

    def __init__(self, vendor: Vendor, faults: Faults) -> None:
        self.vendor = vendor
        self.faults = faults
        self.requests: list[str] = []
        """Method and path (with the query) of every request that came, in order."""
        self._asked: list[tuple[str, dict[str, Any]]] = []
        missing = _always(vendor.missing)
        self._answer = Starlette(routes=vendor.routes(), exception_handlers={404: missing, 405: missing})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        query = f"?{request.url.query}" if request.url.query else ""
        asked = f"{request.url.path}{query}"
        self.requests.append(f"{request.method} {asked}")
        fault = self.faults.strike(asked)
        if fault and fault.then:
            fault.then()
        match fault.what if fault else "":
            case "slow":
                await _wait(receive, fault.seconds if fault else 0)
            case "cut":
                await _cut(send)
            case "unfinished":
                await _cut(send, length=None)
            case "reset":
                await _reset(send)
            case "drip":
                await _drip(receive, send, fault.seconds if fault else 0)
                return
            case "repeat" if fault:
                before = [place for known, place in self._asked if known.startswith(fault.path)]
                scope = {**scope, **(before[-1] if before else {})}
                request = Request(scope, receive)
            case _:
                self._asked.append((asked, {name: scope[name] for name in ("path", "raw_path", "query_string")}))
        answer = self._instead(fault) or self._barred(request) or self._answer
        await answer(scope, receive, self._with_headers(send))

    def _instead(self, fault: Fault | None) -> Response | None:
        if fault is None:
            return None
        match fault.what:
            case "throttle":
                headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
                return self.vendor.throttled(fault.status, headers)
            case "error":
                return self.vendor.broken(fault.status)
            case "answer":
                return Response(fault.body, fault.status or 200, dict(fault.headers))
            case "malformed":
                return Response(_HALF_A_BODY, media_type="application/json")
            case _:
                return None

    def _barred(self, request: Request) -> Response | None:
        if refusal := self.vendor.refuse(request):
            return refusal
        if self.vendor.counts(request.url.path) and not self.vendor.quota.take():
            return self.vendor.throttled(None, {})
        return None

    def _with_headers(self, send: Send) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                extra = [(name.lower().encode(), value.encode()) for name, value in self.vendor.headers().items()]
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        return sending


def _always(answer: Callable[[], Response]) -> Callable[[Request, Exception], Response]:
    return lambda _request, _error: answer()


async def _wait(receive: Receive, seconds: float) -> None:
    """Let time pass, or the client's patience run out, whichever comes first."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass


async def _cut(send: Send, length: bytes | None = b"4096") -> None:
    """Promise a longer body than comes, or chunks without an end, and break off."""
    headers = [(b"content-type", b"application/json"), *([(b"content-length", length)] if length else [])]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": _HALF_A_BODY, "more_body": True})
    raise ConnectionResetError("the sandbox cut the connection, as it was told to")


async def _reset(send: Send) -> None:
    """Begin a body, and tear the connection down so that the client's system gets an RST."""
    transport: Any = getattr(
        getattr(send, "__self__", None), "transport", None
    )  # uvicorn's; no server has an official way
    if transport:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    raise ConnectionResetError("the sandbox reset the connection, as it was told to")


async def _drip(receive: Receive, send: Send, seconds: float) -> None:
    """Send a body a byte at a time until the client has had enough."""
    gone = asyncio.ensure_future(_gone(receive))
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    while not gone.done():
        await send({"type": "http.response.body", "body": b" ", "more_body": True})
        await asyncio.wait([gone], timeout=seconds)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def app(
    vendor: str,
    *,
    tenant: Tenant | None = None,
    quota: Quota | None = None,
    faults: Iterable[Fault] = (),
    key: str = KEY,
) -> Application:
    """Give a vendor's API as an ASGI app.

    Args:
        vendor: One of `VENDORS`.
        tenant: Who and what is there; by default a small tenant with every state.
        quota: How many requests are answered; by default more than anybody makes.
        faults: What goes wrong.
        key: The credential that is asked for.

    Raises:
        UnknownName: There is no such vendor.
    """
    if vendor not in VENDORS:
        raise UnknownName("vendor of the sandbox", vendor, VENDORS)
    kind = VENDORS[vendor]
    return Application(kind(tenant or Tenant(), quota or Quota(*kind.allowance), key), Faults(faults))


class _Server(uvicorn.Server):
    """Tells when it listens."""

    def __init__(self, application: Application, *, quiet: bool) -> None:
        config = uvicorn.Config(
            application,
            lifespan="off",
            timeout_graceful_shutdown=1,
            log_config=None if quiet else LOGGING_CONFIG,
            log_level="critical" if quiet else "info",
        )
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


class Sandbox:
    """A pretend LMS on loopback, served by a thread of this process.

    Args:
        vendor: One of `VENDORS`.
        port: 0 takes a free one.
        tenant: Who and what is there; it may be changed while the sandbox runs.
        quota: How many requests are answered.
        faults: What goes wrong; more can be switched on by `faults.add`.
        key: The credential that is asked for.

    Example:
        >>> with Sandbox("talentlms") as sandbox:
        ...     sandbox.settings["base_url"]  # doctest: +ELLIPSIS
        'http://127.0.0.1:...'
    """

    def __init__(
        self,
        vendor: str,
        *,
        port: int = 0,
        tenant: Tenant | None = None,
        quota: Quota | None = None,
        faults: Iterable[Fault] = (),
        key: str = KEY,
    ) -> None:
        self.app = app(vendor, tenant=tenant, quota=quota, faults=faults, key=key)
        self._port = port
        self._server = _Server(self.app, quiet=True)
        self._thread: threading.Thread | None = None

    @property
    def tenant(self) -> Tenant:
        """Who and what is there."""
        return self.app.vendor.tenant

    @property
    def faults(self) -> Faults:
        """What goes wrong."""
        return self.app.faults

    @property
    def requests(self) -> list[str]:
        """Method and path (with the query) of every request that came, in order."""
        return self.app.requests

    @property
    def base_url(self) -> str:
        """Where it listens; paths such as `/api/v1/users` go behind it."""
        return f"http://{HOST}:{self._port}"

    @property
    def settings(self) -> dict[str, str]:
        """What a connection to it is configured with."""
        return self.app.vendor.settings(self.base_url)

    def __enter__(self) -> Self:
        listener = _listen(self._port)
        self._port = listener.getsockname()[1]
        self._server = _Server(self.app, quiet=True)
        self._thread = threading.Thread(target=self._server.run, args=([listener],), name="sandbox", daemon=True)
        self._thread.start()
        self._server.ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        if self._thread:
            self._thread.join()


def serve(
    vendor: str,
    *,
    port: int = 0,
    tenant: Tenant | None = None,
    quota: Quota | None = None,
    faults: Iterable[Fault] = (),
    key: str = KEY,
    announce: Callable[[str, dict[str, str]], None] | None = None,
) -> None:
    """Serve a vendor's API on loopback until Ctrl-C.

    Args:
        vendor: One of `VENDORS`.
        port: 0 takes a free one.
        tenant: Who and what is there.
        quota: How many requests are answered.
        faults: What goes wrong.
        key: The credential that is asked for.
        announce: Called with an address worth trying and the connection's settings, once it listens.

    Raises:
        SettingsError: The port is taken.
        UnknownName: There is no such vendor.
    """
    application = app(vendor, tenant=tenant, quota=quota, faults=faults, key=key)
    listener = _listen(port)
    base_url = f"http://{HOST}:{listener.getsockname()[1]}"
    if announce:
        announce(base_url + application.vendor.example, application.vendor.settings(base_url))
    with contextlib.suppress(KeyboardInterrupt):
        _Server(application, quiet=False).run([listener])


def _listen(port: int) -> socket.socket:
    # with its protocol named, asyncio sends small answers at once instead of waiting 40 ms for an acknowledgement
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"the sandbox cannot listen on port {port}: {error.strerror}",
            hint="Choose another port, or 0 for a free one.",
        ) from None
    return listener
