from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from rollbook.sandbox import Tenant, app

if TYPE_CHECKING:
    from collections.abc import Callable

    from rollbook.sandbox.server import Application

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


class Client:
    """Asks an application with its own credentials, without a network."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.tenant = application.vendor.tenant
        self.settings = application.vendor.settings("http://sandbox.test")

    def get(self, path: str, *, method: str = "GET", **options: Any) -> httpx.Response:
        """Ask for a path, or an absolute address."""
        if "api_key" in self.settings:
            options.setdefault("auth", httpx.BasicAuth(self.settings["api_key"], ""))
        else:
            options.setdefault("headers", {"Authorization": f"Bearer {self.settings['access_token']}"})
        return asyncio.run(self._send(method, path, options))

    async def _send(self, method: str, path: str, options: dict[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(self.application)
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox.test") as client:
            return await client.request(method, path, **options)

    def json(self, path: str) -> Any:
        """Give the body of an answer that must be good."""
        return self.get(path).raise_for_status().json()

    def every(self, path: str) -> list[Any]:
        """Follow `next` to the end."""
        rows: list[Any] = []
        address: str | None = path
        while address:
            answer = self.get(address).raise_for_status()
            rows += answer.json()
            address = answer.links.get("next", {}).get("url")
        return rows


@pytest.fixture
def tenant() -> Tenant:
    return Tenant(as_of=NOW)


@pytest.fixture
def client(tenant: Tenant) -> Callable[..., Client]:
    def make(vendor: str, **options: Any) -> Client:
        options.setdefault("tenant", tenant)
        return Client(app(vendor, **options))

    return make


@pytest.fixture
def talentlms(client: Callable[..., Client]) -> Client:
    return client("talentlms")


@pytest.fixture
def canvas(client: Callable[..., Client]) -> Client:
    return client("canvas")
