"""Ids inside texts of a form of their own: filters of queries, keys of OData's paths, URNs, a name with its id."""

from __future__ import annotations

import re

__all__ = ["ATTRIBUTE", "COMPARED", "KEYED", "MAILBOX", "NAME_AND_ID", "URN"]

COMPARED = re.compile(
    r"""(?P<name>[A-Za-z_][\w./!]*)(?P<sign>\s*(?:==|!=|[=~]|=\w+=)\s*|\s+(?:eq|ne|in|like|EQ|NE|IN|LIKE)\s+\(?)"""
    r"""(?P<mark>(?:guid)?['"]|)(?P<value>[^'"\s();,&]+)"""
)
"""`userId eq 'E1'`, `student.sourcedId='u-1'`, `user_id=7` in a parameter that holds a filter."""
KEYED = re.compile(r"(?P<name>[A-Za-z_]\w*)\((?P<inner>.+)\)")
"""`User('E1')` and `Users(userId='E1',seq=2L)`, as OData writes paths."""
URN = re.compile(
    r"(?P<kind>urn:(?:[\w-]+:)*?[a-z]*(?:person|profile|member|user|learner|employee):)"
    r"(?:(?P<open>\([^()]*,)(?P<inner>[\w-]+)\)|(?P<id>[\w-]+))",
    re.IGNORECASE,
)
"""`urn:li:person:AbC1` and `urn:li:enterpriseProfile:(urn:li:enterpriseAccount:1,2)`: the last part is whose."""
NAME_AND_ID = re.compile(
    r"(?P<name>.*\S)(?P<open>\s*[(\[#]\s*)(?P<id>(?=[\w-]{4})[\w-]*\d[\w-]*)(?P<close>\s*[)\]]?\s*)", re.DOTALL
)
"""`Ada Lovelace (4501)`: how a person is called, and by which id."""
MAILBOX = re.compile(r"(?P<name>[^\W\d_][^<>@\",;:=]{1,60}?)(?P<open>\"?\s*<)(?P<mail>[^<>@\s]+@[^<>@\s]+)>")
"""`Ada Lovelace <ada@example.com>`."""
ATTRIBUTE = re.compile(r"""(?P<name>[A-Za-z][\w-]*)=(?P<mark>["'])(?P<value>[^"'<>]+)(?P=mark)""")
"""An attribute of a tag in HTML."""
