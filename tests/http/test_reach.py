"""Addresses that nobody is led to: link-local ones, a cloud's metadata, a private network from outside."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpcore
import httpx
import pytest
from rollbook.core.errors import ContractError, RollbookError, SettingsError
from rollbook.core.http import Http
from rollbook.core.http.reach import Guard, is_withheld

if TYPE_CHECKING:
    from collections.abc import Iterable

METADATA = "169.254.169.254"
PUBLIC = "93.184.216.34"


@dataclass
class Names:
    """A name server, and the network behind it; `turns` gives a name another address for the connection itself."""

    hosts: dict[str, list[str]]
    turns: dict[str, str] = field(default_factory=dict[str, str])
    connected: list[str] = field(default_factory=list[str])
    closed: list[str] = field(default_factory=list[str])
    sent: list[bytes] = field(default_factory=list[bytes])

    async def resolve(self, host: str, port: int) -> list[str]:
        if host not in self.hosts:
            raise OSError("name not known")
        return self.hosts[host]

    def guard(self, own: str, *, allow: bool = False) -> Guard:
        return Guard(Network(self), own, allow=allow, resolve=self.resolve)


class Stream(httpcore.AsyncNetworkStream):
    """A connection to somewhere."""

    def __init__(self, names: Names, host: str, address: str) -> None:
        self.names, self.host, self.address = names, host, address

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - the library's own
        return b""

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - likewise
        self.names.sent.append(buffer)

    async def aclose(self) -> None:
        self.names.closed.append(self.host)

    def get_extra_info(self, info: str) -> Any:
        return (self.address, 443) if info == "server_addr" else None


class Network(httpcore.AsyncNetworkBackend):
    """Connects to whatever a name leads to at that moment."""

    def __init__(self, names: Names) -> None:
        self.names = names

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - likewise
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.names.connected.append(host)
        return Stream(self.names, host, self.names.turns.get(host) or self.names.hosts.get(host, [host])[0])


@pytest.mark.parametrize(
    "host",
    [
        METADATA,
        "169.254.0.1",
        "fe80::1",
        "fe80::1%eth0",
        "[fe80::1]",
        "fd00:ec2::254",
        "fd20:ce::254",
        "100.100.100.200",
        "168.63.129.16",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "metadata.google.internal",
        "Metadata.Google.Internal.",
    ],
)
def test_link_local_and_metadata_addresses_are_withheld_however_they_are_written(host: str) -> None:
    assert is_withheld(host)


@pytest.mark.parametrize("host", ["lms.example.com", "10.0.0.8", "192.168.1.4", "127.0.0.1", "::1", "fd12::1", PUBLIC])
def test_an_lms_in_a_private_network_is_as_good_as_any(host: str) -> None:
    assert not is_withheld(host)


@pytest.mark.parametrize("address", [f"http://{METADATA}", "https://[fe80::1]", "https://metadata.google.internal/x"])
def test_a_base_url_at_a_withheld_address_is_refused_unless_it_is_allowed(address: str) -> None:
    with pytest.raises(SettingsError, match="link-local address") as caught:
        Http(address)

    assert "allow_link_local = true" in caught.value.hint
    assert Http(address, allow_link_local=True)


@pytest.mark.parametrize("addresses", [[METADATA], [PUBLIC, "fd00:ec2::254"]])
def test_a_name_that_leads_to_a_withheld_address_is_not_connected_to(addresses: list[str]) -> None:
    names = Names({"lms.example.com": addresses})

    with pytest.raises(SettingsError, match="link-local address"):
        asyncio.run(names.guard("lms.example.com").connect_tcp("lms.example.com", 443))

    assert names.connected == []


def test_a_name_that_changes_its_address_between_looking_and_connecting_gets_no_byte() -> None:
    names = Names({"lms.example.com": [PUBLIC]}, turns={"lms.example.com": METADATA})

    with pytest.raises(SettingsError, match="link-local address"):
        asyncio.run(names.guard("lms.example.com").connect_tcp("lms.example.com", 443))

    assert (names.closed, names.sent) == (["lms.example.com"], [])


@pytest.mark.parametrize("address", [PUBLIC, "10.1.2.3", "127.0.0.1", "fd12::1"])
def test_the_lms_may_be_anywhere_else(address: str) -> None:
    names = Names({"lms.example.com": [address]})
    asyncio.run(names.guard("lms.example.com").connect_tcp("lms.example.com", 443))

    assert names.connected == ["lms.example.com"]


def test_what_is_allowed_is_asked() -> None:
    names = Names({"lms.example.com": [METADATA]})
    asyncio.run(names.guard("lms.example.com", allow=True).connect_tcp("lms.example.com", 443))

    assert names.connected == ["lms.example.com"]


@pytest.mark.parametrize(
    ("own", "other", "reached"),
    [
        (PUBLIC, PUBLIC, True),
        (PUBLIC, "10.0.0.5", False),
        (PUBLIC, "127.0.0.1", False),
        (PUBLIC, METADATA, False),
        ("10.0.0.2", "10.0.0.5", True),
        ("10.0.0.2", METADATA, False),
    ],
)
def test_a_link_leads_into_a_private_network_only_if_the_lms_is_in_one(own: str, other: str, *, reached: bool) -> None:
    names = Names({"lms.example.com": [own], "files.example.org": [other]})
    guard = names.guard("lms.example.com")

    with nullcontext() if reached else pytest.raises(ContractError, match="leads to another host"):
        asyncio.run(guard.connect_tcp("files.example.org", 443))

    assert names.connected == (["files.example.org"] if reached else [])


def test_a_name_that_nobody_knows_is_for_the_connection_to_tell() -> None:
    names = Names({})
    asyncio.run(names.guard("lms.example.com").connect_tcp("lms.example.com", 443))

    assert names.connected == ["lms.example.com"]


def test_a_name_server_that_does_not_answer_is_waited_for_as_long_as_for_a_connection() -> None:
    async def never(host: str, port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    names = Names({})
    guard = Guard(Network(names), "lms.example.com", resolve=never)

    with pytest.raises(httpcore.ConnectTimeout):
        asyncio.run(guard.connect_tcp("lms.example.com", 443, timeout=0.01))


def test_the_client_asks_through_the_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the real client: a name that leads to a cloud's metadata is refused, and is not tried again."""

    async def resolve(host: str, port: int) -> list[str]:
        return [METADATA]

    monkeypatch.setattr(Guard.__init__, "__kwdefaults__", {"allow": False, "resolve": resolve})

    async def ask() -> RollbookError:
        async with Http("https://lms.example.com") as http:
            with pytest.raises(RollbookError) as caught:
                await http.get("courses")
            assert http.stats.requests == 1
            return caught.value

    error = asyncio.run(ask())

    assert isinstance(error, SettingsError)
    assert "link-local address" in error.message


@pytest.mark.parametrize(
    "target", [f"http://{METADATA}/latest", "http://metadata.google.internal/", "http://[fe80::1]/x"]
)
def test_a_download_is_not_redirected_to_a_withheld_address(target: str) -> None:
    """Also by way of a proxy or a transport of one's own, where no connection can be looked at."""

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "lms.example.com"
        return httpx.Response(302, headers={"Location": target})

    async def ask() -> None:
        http = Http("http://lms.example.com", transport=httpx.MockTransport(answer))
        async with http, http.download("/export", other_host=True):
            pass

    with pytest.raises(ContractError):
        asyncio.run(ask())
