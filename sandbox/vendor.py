"""What the server needs to know of a vendor to speak its API."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from .quota import Quota
    from .tenant import Tenant

__all__ = ["JSON", "Record", "Vendor", "whole"]

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"
Record: TypeAlias = "dict[str, JSON]"


class Vendor(ABC):
    """One vendor's API over a tenant.

    Args:
        tenant: Whose facts are rendered.
        quota: How many requests are answered.
        key: The credential that is asked for.
    """

    name: ClassVar[str]
    allowance: ClassVar[tuple[int, float]]
    """The quota unless another is given: requests, and the seconds they are for."""
    example: ClassVar[str]
    """A path worth trying first."""

    def __init__(self, tenant: Tenant, quota: Quota, key: str) -> None:
        self.tenant = tenant
        self.quota = quota
        self.key = key

    @abstractmethod
    def settings(self, base_url: str) -> dict[str, str]:
        """Give what a connection to it is configured with."""

    @abstractmethod
    def routes(self) -> Sequence[Route]:
        """Give what it answers; everything else is `missing`."""

    @abstractmethod
    def refuse(self, request: Request) -> Response | None:
        """Answer a request with no or wrong credentials; None lets it in."""

    @abstractmethod
    def missing(self) -> Response:
        """Answer a request for what there is not."""

    @abstractmethod
    def throttled(self, status: int | None, headers: Mapping[str, str]) -> Response:
        """Answer a request beyond the quota."""

    @abstractmethod
    def broken(self, status: int | None) -> Response:
        """Answer as after a failure of the vendor's own."""

    def counts(self, path: str) -> bool:  # noqa: ARG002 - a vendor may look
        """Tell whether a request for that path uses the quota."""
        return True

    def headers(self) -> Mapping[str, str]:
        """Give the headers that every answer bears."""
        return {}


def whole(text: str) -> int:
    """Read a whole number out of a path or a query; 0 when it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0  # noqa: PLR2004 - digits of 64 bits
