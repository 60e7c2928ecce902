"""What Google's APIs have in common: service accounts, lists that are left out when they are empty, refusals.

From developers.google.com: "Using OAuth 2.0 for Server to Server Applications", "Standard error responses", and
google.rpc.ErrorInfo.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from ..core.errors import SettingsError
from ..core.http import JwtBearer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..core.http import Answer
    from ..core.native import JSON, NativeRecord

__all__ = ["TOKEN", "Refusal", "delegated", "items_of", "refusal"]

TOKEN = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
DELEGATION = "Admin console > Security > API controls > Domain-wide delegation"
_TOO_MANY = re.compile(r"\w*LimitExceeded|quotaExceeded|RESOURCE_EXHAUSTED|RATE_LIMIT_EXCEEDED")
_CODE = re.compile(r"@([A-Za-z]{1,60})(?!\S)")


def delegated(key_file: str, subject: str, scopes: Sequence[str], token_url: str = "") -> JwtBearer:
    """Sign in as a service account in somebody's name (domain-wide delegation).

    Args:
        key_file: Content of the service account's key file.
        subject: E-mail address of that somebody.
        scopes: What is asked for.
        token_url: Where tokens are given out, if not where the key file says.

    Raises:
        SettingsError: It is no key file.
    """
    key = _read(key_file)
    url = key.get("token_uri") or TOKEN
    client = key.get("client_id", "of the service account")
    return JwtBearer(
        token_url or url,
        issuer=key["client_email"],
        private_key=key["private_key"],
        key_id=key.get("private_key_id", ""),
        subject=subject.strip(),
        scope=" ".join(scopes),
        audience=url,
        hints={
            "unauthorized_client": f"Delegate these to the client id {client} ({DELEGATION}): {', '.join(scopes)}",
            "invalid_grant": "Is `subject` an account of the domain, is the key still there, is the clock right?",
        },
    )


def _read(key_file: str) -> dict[str, str]:
    try:
        found: Any = json.loads(key_file)
    except ValueError:
        found = None
    key = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    if not all(isinstance(key.get(name), str) for name in ("client_email", "private_key")):
        hint = 'Take the whole file as it was downloaded: service_account_json = { file = "key.json" }'
        raise SettingsError("service_account_json is no key file of a service account", hint=hint)
    return {name: value for name, value in key.items() if isinstance(value, str) and value}


def items_of(name: str) -> Callable[[Answer], Sequence[NativeRecord]]:
    """Give what reads a list of that name: one that is empty is left out of the answer, which is `{}` then."""

    def read(answer: Answer) -> Sequence[NativeRecord]:
        return answer.items(name) if answer.object().keys() - {"nextPageToken"} else ()

    return read


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request was refused; words of Google's only."""

    reasons: frozenset[str]
    """`PERMISSION_DENIED`, `insufficientPermissions` ..."""
    code: str
    """`ClassroomApiDisabled` of a message that begins with `@ClassroomApiDisabled `; empty if it does not."""

    @property
    def is_throttling(self) -> bool:
        """Whether a quota is spent."""
        return any(map(_TOO_MANY.fullmatch, self.reasons))


def refusal(answer: Answer) -> Refusal:
    """Read an error: `{"error": {"status", "message", "errors": [{"reason"}], "details": [{"reason"}]}}`.

    Raises:
        ContractError: It is another body.
    """
    error = answer.object("error")
    told = [*_objects(error.get("errors")), *_objects(error.get("details"))]
    code = _CODE.match(str(error.get("message")))
    reasons = {str(one["reason"]) for one in told if "reason" in one} | {str(error.get("status"))}
    return Refusal(frozenset(reasons), code[1] if code else "")


def _objects(value: JSON) -> list[NativeRecord]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
