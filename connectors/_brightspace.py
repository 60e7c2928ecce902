"""D2L Brightspace: what both ways of reading it share: settings, sign-in, refusals, quota, versions of its API.

From docs.valence.desire2learn.com (OAuth 2, scopes, versions), and community.d2l.com (refresh tokens, rate limits).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import Field, SecretStr, field_validator, model_validator

from ..core.connector import BaseUrl, Connector, Notice, Settings
from ..core.errors import ContractError, CursorExpired, Forbidden
from ..core.http import Act, Bearer, Limit, NextLink, OAuth2, Quota, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Self

    from ..core.http import Answer, Auth, Vault
    from ..core.native import NativeRecord
    from ..core.table import Table

__all__ = ["LINKS", "VERSIONS", "BrightspaceSettings", "BrightspaceSite", "keep_latest", "missing"]

TOKENS = "https://auth.brightspace.com/core/connect/token"
HUB = "datahub"
LINKS = NextLink("Next")
# what is asked for: part of its path, scope, what it is, the setting that does without it
READS = (
    ("/orgstructure/", "organizations:organization:read", "the org structure", ""),
    ("/classlist/", "enrollment:orgunit:read", "class lists", ""),
    ("/roles/", "role:detail:read", "the names of roles", "fetch_roles"),
    ("/courses/", "orgunits:course:read", "the dates of courses", "fetch_courses"),
    ("/coursecompletion/", "grades:coursecompletion:read", "course completions", "fetch_completions"),
    ("/final/values/", "grades:gradevalues:read", "final grades", "fetch_grades"),
    ("/datasets/", "datasets:bds:read", "the data sets", ""),
    ("/dataexport/", "datahub:dataexports:download", "the files of data sets", ""),
)
VERSIONS = "Is base_url right, and are lp_version and le_version among those of /d2l/api/versions/?"
ONE = re.compile(r"/(courses|orgstructure)/\d+$|/le/[\d.]+/\d+/")  # of what is gone, nothing else is


class BrightspaceSettings(Settings):
    """Give `client_id`, `client_secret` and `refresh_token` of an OAuth 2 application, or an `access_token`."""

    base_url: BaseUrl | None = Field(...)
    """Address of your Brightspace, such as https://school.brightspace.com."""
    client_id: str = ""
    """Id of the application (Admin Tools > Manage Extensibility > OAuth 2.0)."""
    client_secret: SecretStr | None = None
    """Secret of the application, shown when it is registered."""
    refresh_token: SecretStr | None = None
    """The first refresh token, from the consent of a user who may read everything. It works once: each later one is
    kept in the vault."""
    access_token: SecretStr | None = None
    """An access token in place of the three: for an hour's trial."""
    scope: str = ""
    """Scopes to ask for, with spaces between; empty for those that the strategy and the settings below need."""
    lp_version: str = Field(default="1.47", pattern=r"^\d+\.\d+$")
    """Version of the Learning Platform API. The site must support it: `rollbook check` tells."""
    le_version: str = Field(default="1.75", pattern=r"^\d+\.\d+$")
    """Version of the Learning Environment API, likewise."""
    course_type_id: int = 3
    """Id of the org unit type Course Offering."""
    learner_roles: tuple[str, ...] = ()
    """Names or ids of the roles that learners have in courses; empty: those whose name does not say staff."""
    fetch_roles: bool = True
    """Read the names of roles: one request. Strategy `courses`."""
    fetch_courses: bool = True
    """Read each course's dates: one request a course. Strategy `courses`."""
    fetch_completions: bool = True
    """Read who completed a course: a request or more a course. Strategy `courses`."""
    fetch_grades: bool = True
    """Read final grades: a request for each 200 learners of a course. Strategy `courses`."""
    fetch_activity: bool = True
    """Read when learners were last in a course: a further data set. Strategy `datahub`."""
    fetch_withdrawals: bool = True
    """Read who was withdrawn, and by whom learners were enrolled: a further data set. Strategy `datahub`."""

    @field_validator("base_url")
    @classmethod
    def _without_path(cls, value: str | None) -> str | None:
        return re.sub(r"/d2l(/.*)?$", "", value) if value else value

    @field_validator("learner_roles")
    @classmethod
    def _lower(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(role.strip().lower() for role in value)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        grant = [bool(self.client_id), self.client_secret is not None, self.refresh_token is not None]
        if any(grant) if self.access_token else not all(grant):
            raise ValueError("give either all of client_id, client_secret and refresh_token, or access_token")
        return self

    def auth(self, vault: Vault | None) -> Auth:
        """Get tokens for an hour with the refresh token, which is another one after each use."""
        if self.access_token:
            return Bearer(self.access_token)
        return OAuth2(
            TOKENS,
            grant="refresh_token",
            client_id=self.client_id,
            client_secret=self.client_secret or "",
            refresh_token=self.refresh_token or "",
            single_use=True,
            scope=self.scope or " ".join(self._scopes()),
            vault=vault,
        )

    def _scopes(self) -> list[str]:
        hub = self.strategy == HUB
        reads = READS[6:] if hub else READS[:6]
        return [scope for _, scope, _, setting in reads if not setting or getattr(self, setting)]


class BrightspaceSite(Connector[BrightspaceSettings]):
    """One site, however it is read."""

    name, title = "brightspace", "D2L Brightspace"
    Settings = BrightspaceSettings
    hosts = frozenset({"auth.brightspace.com"})

    def limits(self) -> Sequence[Limit]:
        """Give 50,000 credits a minute at 10 for each request (2020); four at once are our own choice."""
        return (Limit(requests=5_000, per=60.0, at_once=4),)

    @staticmethod
    def verdict(answer: Answer) -> Verdict | None:
        """Tell what a refusal is about, and a list that is not there from a course that is gone."""
        path = answer.request.partition(" ")[2]
        match answer.status:
            case 401:
                hint = "Check access_token (is it an hour old?), or client_id, client_secret and refresh_token."
                return Verdict(Act.REAUTH, "Brightspace refuses the access token (401)", hint=hint)
            case 403:
                return _forbidden(path)
            case 404 if not ONE.search(path):
                return Verdict.fail(ContractError, "Brightspace does not know this request (404)", VERSIONS)
            case 400 if "bookmark=" in answer.url.partition("?")[2]:
                return Verdict.fail(CursorExpired, "Brightspace no longer takes the bookmark (400)")
            case _:
                return None

    @staticmethod
    def quota(answer: Answer) -> Quota | None:
        """Read the bucket of credits as a number of requests; what one costs is told beside it."""
        try:
            left, reset = (float(answer.headers[f"x-rate-limit-{name}"]) for name in ("remaining", "reset"))
            cost = float(answer.headers.get("x-request-cost", "10"))
        except (KeyError, ValueError):
            return None
        return Quota(remaining=int(left / max(cost, 1.0)), reset=reset)

    async def versions(self, *products: str) -> list[Notice]:
        """Tell which version the site does not support: there, every request is answered with 404."""
        known = {one.get("ProductCode"): one for one in (await self.http.get("d2l/api/versions/")).items()}
        notices: list[Notice] = []
        for product in products:
            wanted, offer = getattr(self.settings, f"{product}_version"), known.get(product, {})
            supported = offer.get("SupportedVersions")
            if not isinstance(supported, list) or wanted not in supported:
                text = f"The site does not support {product} {wanted}, its latest is {offer.get('LatestVersion')}"
                notices.append(Notice(f"{text}: set {product}_version.", "missing"))
        return notices

    def lp(self, path: str) -> str:
        """Give a path of the Learning Platform API."""
        return f"d2l/api/lp/{self.settings.lp_version}/{path}"


def keep_latest(
    table: Table, rows: Iterable[tuple[str | None, NativeRecord]], order: Callable[[NativeRecord], str]
) -> None:
    """Keep of each key's rows the one that comes last in an order; a file or list may have another one."""
    new: dict[str, NativeRecord] = {}
    given = [(key, row) for key, row in rows if key is not None]
    known = table.many(key for key, _ in given)
    for key, row in given:
        place, other = order(row), new.get(key) or known.get(key)
        if other is None or place >= order(other):
            new[key] = row
    table.add(new)


def missing(error: Forbidden) -> Notice:
    """Make a notice of a refusal: it says what is missing."""
    return Notice(f"{error.message[:1].upper()}{error.message[1:]}. {error.hint}", "missing")


def _forbidden(path: str) -> Verdict:
    """Name the scope that may be missing; what the body says is a text, or a web page."""
    for part, scope, what, setting in READS:
        if part in path.lower():
            without = f" Or go without: {setting} = false." if setting else ""
            hint = f"Is the scope {scope} registered and consented to, and may the application's user read {what}?"
            return Verdict.fail(Forbidden, f"Brightspace does not let {what} be read (403)", hint + without)
    return Verdict.fail(Forbidden, "Brightspace refuses access (403)", "Check the scopes, and the user's permissions.")
