"""HTTP, once for all vendors: sign-in, limits, retries, verdicts, paging, downloads."""

from .answer import Answer
from .auth import ApiKey, Auth, Basic, Bearer, FormToken, Sender
from .client import Http
from .limits import Limit
from .lists import Lists, watched
from .oauth1 import OAuth1
from .oauth2 import OAuth2, Token, TokenAuth
from .pace import Pace, no_waits, pace
from .pagination import Ask, Cursor, LinkHeader, NextLink, Offset, PageAnswer, PageNumber, Paginator, Stop
from .quota import Quota, read_quota
from .sample import Cut, Sample
from .vault import Vault
from .verdict import Act, Verdict, read
from .wire import Stats

__all__ = [
    "Act",
    "Answer",
    "ApiKey",
    "Ask",
    "Auth",
    "Basic",
    "Bearer",
    "Cursor",
    "Cut",
    "FormToken",
    "Http",
    "Limit",
    "LinkHeader",
    "Lists",
    "NextLink",
    "OAuth1",
    "OAuth2",
    "Offset",
    "Pace",
    "PageAnswer",
    "PageNumber",
    "Paginator",
    "Quota",
    "Sample",
    "Sender",
    "Stats",
    "Stop",
    "Token",
    "TokenAuth",
    "Vault",
    "Verdict",
    "no_waits",
    "pace",
    "read",
    "read_quota",
    "watched",
]
