"""D2L Brightspace by the Data Hub: the data sets of a whole site, as zipped CSV.

From docs.valence.desire2learn.com (data sets), community.d2l.com (schemas of data sets), and D2L's own sample client,
github.com/Brightspace/bds-headless-client-example.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING
from urllib.parse import quote

from ..core.connector import Estimate, Join, Lookup, Notice, Page, Partition
from ..core.errors import ContractError, CursorExpired, Forbidden, Gone
from ..core.table import as_key
from ._brightspace import LINKS, BrightspaceSite, keep_latest, missing

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence
    from typing import Any

    from ..core.native import JSON, NativeRecord
    from ..core.table import Table

__all__ = ["BrightspaceDataHub"]

ENROLLMENTS, CHANGES = "User Enrollments", "Enrollments and Withdrawals"
USERS, UNITS, ACCESS = "Users", "Organizational Units", "Organizational Unit Recent Access"
COLUMNS = {
    ENROLLMENTS: ("OrgUnitId", "UserId", "RoleName", "EnrollmentDate", "EnrollmentType", "RoleId"),
    CHANGES: ("LogId", "UserId", "OrgUnitId", "RoleId", "Action", "ModifiedByUserId", "EnrollmentDate"),
    USERS: ("UserId", "UserName", "OrgDefinedId", "FirstName", "LastName", "IsActive", "ExternalEmail"),
    UNITS: (*("OrgUnitId", "OrgUnitTypeId", "Type", "Name", "Code", "StartDate", "EndDate", "IsActive", "IsDeleted"),),
    ACCESS: ("OrgUnitId", "UserId", "LastAccessedDate"),
}
MOST = 8 << 30
"""Bytes of a data set, unpacked: a hundred million rows."""


class BrightspaceDataHub(BrightspaceSite):
    """A few files of the Data Hub, hours to days old: enrollment dates and withdrawals, no completions and grades."""

    strategy = "datahub"
    lookups = (Lookup("users", "UserId"), Lookup("units", "OrgUnitId"), Lookup("access", "ids(OrgUnitId, UserId)"))
    joins = (
        Join("user", "users", "UserId"),
        Join("course", "units", "OrgUnitId"),
        Join("access", "access", "ids(OrgUnitId, UserId)"),
    )
    _listed: dict[str, str] | None = None

    async def check(self) -> Sequence[Notice]:
        """Ask for the versions, the list of data sets, and the newest file of each."""
        if unsupported := await self.versions("lp"):
            return unsupported
        try:
            self._listed = await self._list()
            for name in self._listed:
                await self._extract(name)
        except Forbidden as error:
            return [missing(error)]
        return ()

    async def partitions(self) -> AsyncIterator[Partition]:
        """Give the whole site: a file cannot be read in parts."""
        yield Partition("all")

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        """Read who is enrolled, then who is no longer, by the log of changes."""
        del partition, since
        async with aclosing(self._site(cursor)) as pages:
            async for page in pages:
                yield page

    async def _site(self, cursor: JSON) -> AsyncGenerator[Page]:
        place = _place(cursor)
        self._listed = await self._list()
        extract = await self._extract(ENROLLMENTS, as_key(place.get("of")))
        place["of"], done = extract.get("CreatedDate"), 0
        roles: dict[str, JSON] = {}  # of whose roles the log tells only the ids
        with self.table() as present, self.table() as changes:
            await self._read_changes(changes)
            async for rows in self._rows(ENROLLMENTS, extract):
                pairs = [_pair(row) for row in rows]
                present.add({pair: {} for pair in pairs})
                roles |= {str(row["RoleId"]): row["RoleName"] for row in rows}
                done += len(rows)
                if done > place["rows"]:
                    last = changes.many(pairs)
                    records = [_record(row, row, last.get(pair), roles) for row, pair in zip(rows, pairs, strict=True)]
                    yield Page(records, {**place, "rows": done}, "datahub")
            for some in changes.batches(place["behind"]):
                there = present.many(some)
                records = [
                    _record(row, None, row, roles)
                    for pair, row in some.items()
                    if pair not in there and not str(row["Action"]).strip().lower().startswith("enrol")
                ]
                yield Page(records, {**place, "rows": done, "behind": max(some)}, "datahub")
        yield Page(())

    async def load(self, lookup: str, keys: Sequence[str] | None) -> AsyncIterator[Sequence[NativeRecord]]:
        """Read a data set that completes the enrollments."""
        del keys
        name = {"users": USERS, "units": UNITS, "access": ACCESS}[lookup]
        if name == ACCESS and not self.settings.fetch_activity:
            return
        async for rows in self._rows(name, await self._extract(name)):
            yield rows

    async def estimate(self) -> Estimate:
        """Count the list of data sets, and for each of them its files and the newest one."""
        sets = len(self._wanted())
        basis = f"at least 1 for the list of data sets, {2 * sets} for {sets} of them"
        return Estimate(1 + 2 * sets, exact=False, basis=basis)

    async def fetch(self, id: str, known: NativeRecord | None) -> Page:
        """Look for one enrollment in the files, which takes as many requests as reading all."""
        del known
        async with aclosing(self._site(None)) as pages:
            async for page in pages:
                for record in page.records:
                    if _pair(record) == id:
                        return Page([record], kind="datahub")
        raise Gone("the data sets have no such enrollment")

    async def _read_changes(self, table: Table) -> None:
        """Keep the last change of each learner in each org unit, by its number."""
        if self.settings.fetch_withdrawals:
            async for rows in self._rows(CHANGES, await self._extract(CHANGES)):
                keep_latest(table, ((_pair(row), row) for row in rows), _logged)

    def _wanted(self) -> list[str]:
        wanted = [ENROLLMENTS, USERS, UNITS]
        wanted += [ACCESS] if self.settings.fetch_activity else []
        return wanted + ([CHANGES] if self.settings.fetch_withdrawals else [])

    async def _list(self) -> dict[str, str]:
        """Find the data sets by their names; give where the list of each one's files is."""
        found: dict[str, str] = {}
        async for answer in self.http.paged(self.lp("datasets/bds"), None, LINKS, items="Objects"):
            for one in answer.items:
                full = one.get("Full")
                if isinstance(full, dict):
                    schema, plugin = (quote(str(id), safe="") for id in (one.get("SchemaId"), full.get("PluginId")))
                    path = self.lp(f"datasets/bds/{schema}/plugins/{plugin}/extracts")
                    found[_spelled(full.get("Name"))] = path
        wanted = {name: found.get(_spelled(name)) for name in self._wanted()}
        if absent := [name for name, path in wanted.items() if path is None]:
            hint = (
                "Are Brightspace Data Sets switched on, and may the application's user see these? Those of activity and"
                " withdrawals can be done without: fetch_activity = false, fetch_withdrawals = false."
            )
            raise Forbidden(f"the Data Hub does not offer: {', '.join(absent)}", hint=hint)
        return {name: path for name, path in wanted.items() if path is not None}

    async def _extract(self, name: str, created: str | None = None) -> NativeRecord:
        """Give the newest file of a data set, or the one that an interrupted reading began with."""
        if self._listed is None:
            self._listed = await self._list()
        files: list[NativeRecord] = []
        async for answer in self.http.paged(self._listed[name], None, LINKS, items="Objects"):
            files += [one for one in answer.items if str(one.get("BdsType")).lower() == "full"]
        if created is not None:
            files = [one for one in files if one.get("CreatedDate") == created]
            if not files:
                raise CursorExpired("the data set that was read is no longer kept by the LMS")
        if not files:
            hint = "The files are made on a schedule: try again later."
            raise Forbidden(f"the data set {name} has no file yet", hint=hint)
        return max(files, key=lambda one: str(one.get("CreatedDate")))

    async def _rows(self, name: str, extract: NativeRecord) -> AsyncGenerator[list[NativeRecord]]:
        if not isinstance(link := extract.get("DownloadLink"), str):
            raise ContractError(f"the file of the data set {name} has no address")
        # it may redirect to a storage of another host, which is asked without the token
        rows = self.http.rows(link, columns=COLUMNS[name], max_bytes=MOST, other_host=True)
        async with aclosing(rows):
            async for some in rows:
                yield some


def _logged(row: NativeRecord) -> str:
    number = str(row["LogId"])
    if not (number.isascii() and number.isdecimal()):
        raise ContractError(f"a row of the data set {CHANGES} has no number")
    return number.zfill(20)


def _pair(row: NativeRecord) -> str:
    return f"{row['OrgUnitId']}:{row['UserId']}"


def _record(
    row: NativeRecord, enrollment: NativeRecord | None, change: NativeRecord | None, roles: dict[str, JSON]
) -> NativeRecord:
    role = {"RoleId": row["RoleId"], "RoleName": roles.get(str(row["RoleId"]))}
    pair = {name: row[name] for name in ("OrgUnitId", "UserId")}
    return {**pair, "enrollment": enrollment, "change": change, "role": role}


def _place(cursor: JSON) -> dict[str, Any]:
    if cursor is None:
        return {"of": None, "rows": 0, "behind": ""}
    if not isinstance(cursor, dict) or set(cursor) != {"of", "rows", "behind"}:
        raise CursorExpired("the cursor is none of this connector's")
    return dict(cursor)


def _spelled(name: JSON) -> str:
    """Make the spellings of a data set's name one: enrolments, organisational."""
    return " ".join(str(name).lower().replace("ll", "l").replace("s", "z").split())
