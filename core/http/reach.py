"""Which addresses may be asked: not those at which a cloud's machines find their own credentials."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import TYPE_CHECKING, Any, TypeAlias

import httpcore

from ..errors import ContractError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    import httpx

    Resolver: TypeAlias = Callable[[str, int], Awaitable[list[str]]]

__all__ = ["Guard", "guard", "is_withheld", "refusal", "resolved"]

Address: TypeAlias = "ipaddress.IPv4Address | ipaddress.IPv6Address"

_WITHHELD = tuple(
    ipaddress.ip_network(text)
    for text in (
        "169.254.0.0/16",  # link-local, and most clouds' metadata
        "fe80::/10",  # link-local
        "fd00:ec2::/32",  # Amazon
        "fd20:ce::/32",  # Google
        "100.100.100.200/32",  # Alibaba
        "168.63.129.16/32",  # Azure
        "192.0.0.192/32",  # Oracle
    )
)
_NAMES = frozenset({"metadata", "metadata.google.internal", "metadata.goog", "instance-data"})
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_withheld(host: str) -> bool:
    """Tell whether a host's name or address is link-local, or a cloud's for its own machines."""
    if host.rstrip(".").lower() in _NAMES:
        return True
    found = _address(host)
    return found is not None and any(found in network for network in _WITHHELD)


def _is_inside(host: str) -> bool:
    """Tell whether an address is this machine's or of a private network."""
    found = _address(host)
    return found is not None and not found.is_global


def _address(host: str) -> Address | None:
    """Read an address, an IPv4 one out of the IPv6 one that stands for it."""
    try:
        found = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv4Address):
        return found
    if found in _NAT64:
        return ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    return found.ipv4_mapped or found.sixtofour or found


def refusal(host: str, *, own: bool) -> SettingsError | ContractError:
    """Make the error for an address that is not asked."""
    text = f"{host} is at a link-local address, or one where a cloud keeps its machines' credentials"
    if own:
        return SettingsError(text, hint="Is base_url right? If this is meant, set allow_link_local = true.")
    return ContractError(f"the LMS leads to another host: {text}", hint="Nothing is asked there.")


async def resolved(host: str, port: int) -> list[str]:
    """Give the addresses of a host."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class Guard(httpcore.AsyncNetworkBackend):
    """Looks at a host's addresses before each connection, and at the one that was connected to before a byte is sent.

    The second look is the one that a name server cannot deceive by another answer.

    Args:
        inner: Makes the connections.
        own: The LMS's host.
        allow: Let link-local and metadata addresses pass.
        resolve: Gives the addresses of a host.
    """

    def __init__(
        self, inner: httpcore.AsyncNetworkBackend, own: str, *, allow: bool = False, resolve: Resolver = resolved
    ) -> None:
        self._inner = inner
        self._own = own
        self._allow = allow
        self._resolve = resolve

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's interface
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect, if the host's address may be asked.

        Raises:
            SettingsError: The LMS's may not.
            ContractError: Another host's may not.
        """
        inside = await self._may_be_inside(host, timeout)
        if not inside or not self._allow:
            for address in await self._addresses(host, port, timeout):
                self._look(host, address, inside=inside)
        stream = await self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        peer = stream.get_extra_info("server_addr")
        try:
            if peer:
                self._look(host, str(peer[0]), inside=inside)
        except BaseException:
            await stream.aclose()
            raise
        return stream

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's interface
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect as ever: no address of an LMS leads here."""
        return await self._inner.connect_unix_socket(path, timeout, socket_options)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._inner.sleep(seconds)

    async def _may_be_inside(self, host: str, timeout: float | None) -> bool:  # noqa: ASYNC109 - passed on
        """Tell whether a host may have a private address: the LMS may, another one only if the LMS has one."""
        if host == self._own:
            return True
        return any(map(_is_inside, await self._addresses(self._own, 0, timeout)))

    def _look(self, host: str, address: str, *, inside: bool) -> None:
        if not self._allow and (is_withheld(host) or is_withheld(address)):
            raise refusal(host, own=host == self._own)
        if not inside and _is_inside(address):
            text = f"the LMS leads to another host: {host} is at an address of a private network"
            raise ContractError(text, hint="Nothing is asked there, since the LMS itself is not in one.")

    async def _addresses(self, host: str, port: int, timeout: float | None) -> list[str]:  # noqa: ASYNC109 - as above
        if _address(host) is not None:
            return [host]
        try:
            async with asyncio.timeout(timeout):
                return await self._resolve(host, port)
        except TimeoutError:
            raise httpcore.ConnectTimeout from None
        except (OSError, UnicodeError):
            return []  # connecting will say so


def guard(client: httpx.AsyncClient, own: str, *, allow: bool) -> None:
    """Let a client connect only to addresses that may be asked; through a proxy, the proxy connects.

    Raises:
        TypeError: The library is another one than this was written for.
    """
    pool: Any = getattr(client._transport, "_pool", None)  # noqa: SLF001 - it has no public way in  # pyright: ignore[reportPrivateUsage] - likewise
    if not isinstance(pool, httpcore.AsyncConnectionPool) or not hasattr(pool, "_network_backend"):
        raise TypeError("this version of httpx cannot be guarded")
    inner: Any = pool._network_backend  # noqa: SLF001 - as above  # pyright: ignore[reportPrivateUsage] - likewise
    pool._network_backend = Guard(inner, own, allow=allow)  # noqa: SLF001 - as above  # pyright: ignore[reportPrivateUsage] - likewise
