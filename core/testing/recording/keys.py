"""What a member holds, told by its name: a secret, somebody's name, an id, or nothing in particular."""

from __future__ import annotations

import re
from enum import Enum, auto
from functools import lru_cache

__all__ = [
    "PERSON_WORDS",
    "Holds",
    "holds",
    "is_course_like",
    "is_person_word",
    "may_name_somebody",
    "names_somebody",
    "words",
]


class Holds(Enum):
    """What stands behind a name."""

    SECRET = auto()
    """A credential, or a link that is one."""
    LIKELY_SECRET = auto()
    """A secret if it looks like one: `key`, `session`, `hash`."""
    EMAIL = auto()
    LOGIN = auto()
    NAME = auto()
    """A person's name."""
    CALLED = auto()
    """A name of whatever the object is: a person's in a person's object, else a title."""
    PERSON = auto()
    """A person: an id, a login or a name."""
    PERSON_ID = auto()
    ID = auto()
    """Some id: it may be a person's."""
    PHONE = auto()
    ADDRESS = auto()
    BIRTH = auto()
    WRITTEN = auto()
    """What somebody wrote freely: a comment, a biography."""
    IP = auto()
    PICTURE = auto()
    PRIVATE = auto()
    """Gender, nationality and the like."""
    OWN_FIELD = auto()
    """A field that the tenant defined itself: it may hold anything."""
    VALUE = auto()
    """The value of what a neighbour names: `{"name": "phone", "value": ...}`."""
    CODE = auto()
    """One of a short list of an LMS's own, never an id of a person: `role_id`."""
    ANYTHING = auto()


PERSON_WORDS = frozenset(
    (
        *("user", "learner", "student", "teacher", "instructor", "trainer", "tutor", "person", "people", "employee"),
        *("member", "author", "creator", "owner", "manager", "supervisor", "contact", "assignee", "assigner", "grader"),
        *("reviewer", "approver", "sender", "recipient", "customer", "parent", "guardian", "attendee", "participant"),
        *(
            "candidate",
            "admin",
            "administrator",
            "editor",
            "uploader",
            "coach",
            "mentor",
            "mentee",
            "enroller",
            "actor",
        ),
        *("observer", "profile", "worker", "colleague", "subscriber", "invitee", "inviter", "registrant", "usergrade"),
    )
)
_PERSON = "|".join(sorted(PERSON_WORDS - {"profile"}, key=len, reverse=True))
_SECRET_ENDS = (
    *("token", "secret", "password", "passwd", "pwd", "passphrase", "signature", "jwt", "assertion", "verifier"),
    *(
        "sesskey",
        "cookie",
        "credential",
        "credentials",
        "hmac",
        "nonce",
        "apikey",
        "loginkey",
        "privatekey",
        "accesskey",
    ),
    *(
        "secretkey",
        "authkey",
        "sharedkey",
        "consumerkey",
        "subscriptionkey",
        "sessionid",
        "sessionkey",
        "authorization",
    ),
    *("keypairid", "clientid", "appkey", "applicationkey", "licensekey", "ticket", "autologin", "magiclink", "ssourl"),
    *("loginurl", "loginlink", "autologinurl", "invitelink", "inviteurl", "invitationlink", "resetlink", "reseturl"),
    *("phpsessid", "jsessionid", "moodlesession", "accesskeyid", "privatetoken", "credentialid", "feedurl", "icalurl"),
)
_SECRET_WORDS = frozenset({"sig", "token", "secret", "password", "csrf", "otp", "sas", "bearer"})
_LIKELY = frozenset({"key", "session", "hash", "auth", "sid", "policy", "code", "state", "ticketid", "guestkey"})
_NO_SECRET_ENDS = (
    *("type", "count", "expires", "expiry", "expiration", "expiresin", "expiresat", "lifetime", "policy", "enabled"),
    *("required", "length", "changed", "changedat", "status", "updatedat", "createdat", "url", "scope", "format"),
)
_FLAGS = (
    *("verified", "confirmed", "enabled", "count", "type", "template", "status", "notification", "notifications"),
    *("stop", "format", "digest", "restrictemail", "display", "visible", "sent", "sentat", "signupmethod", "allowed"),
)
_NAME = re.compile(
    r"vorname|nachname|familienname|pr[eé]nom|nomdefamille|apellidos?|cognome|sobrenome|voornaam|achternaam|imi[eę]|nazwisko"
    r"|(for|f[oö]r|efter|etter)na[vm]n|фамилия|имя|отчество|όνομα|επώνυμο|ονοματεπώνυμο|"
    r"(first|last|given|family|sur|middle|maiden|nick|preferred|legal|fore|patronymic|formal|phonetic|alternate)_?names?"
    r"|(first|last|middle|alternate)name(phonetic)?|surname|forename|initials|patronymic|sortablename|namesuffix"
    rf"|({_PERSON})s?(first|last|full|display|given|family|middle|short|sortable|formatted)?names?"
)
_CALLED = frozenset(
    {"name", "fullname", "displayname", "shortname", "formattedname", "commonname", "cn", "label", "displaylabel"}
    | {"nom", "nombre", "nombres", "nome", "naam", "navn", "namn", "nimi"}
)
_LOGIN = re.compile(
    r"(user|login|screen)names?|logins?|loginid|userlogin|upn|userprincipalname|samaccountname|uniquelogin"
    r"|handle|nick|authorusername|userhandle|userslug"
)
_PERSON_ID = re.compile(
    rf"(sis|lti|global|external|associated|target|real|integration|idp|ldap|hr|source|orig(inal)?|temporary\w*)?({_PERSON})s?"
    r"(sis|lti|external|global|idp)?(id|ids|uuid|uuids|guid|uid|key|keys|idnumber|externalid)"
    rf"|({_PERSON})(number|no|ref|code)"
    rf"|ids?({_PERSON})s?|personnelnumber|payrollnumber|payrollid|badgenumber|matriculation\w*|registrationnumber"
    rf"|sis(user|login)id|({_PERSON})s?integrationid|useridnumber|staffid|personid|studentnumber|employeenumber"
)
_NO_ID = frozenset(
    (
        *("valid", "invalid", "paid", "unpaid", "prepaid", "void", "avoid", "hybrid", "grid", "rapid", "solid", "bid"),
        *("aid", "mid", "fluid", "android"),
    )
)
_CODES = re.compile(
    r"(role|type|status|state|level|lang|language|country|permission|locale|currency|timezone|format)s?ids?"
)
_PHONE = re.compile(
    r"\w*(phone|mobile|cell|fax|telephone|whatsapp|skype|telefon|telefono|handy|telegram|pager)\d?(number|no|home|work)?|tel|icq|msn|aim|yahoo"
)
_ADDRESS = re.compile(
    r"\w*(street|zipcode|postcode|postalcode|homeaddress|mailingaddress|postaladdress|address(line)?\d?)|city|town|zip|county|suburb|pobox|latitude|longitude|lat|lng|geo|location"
)
_BIRTH = re.compile(r"\w*(geburt|naissance|nacimiento|birth|birthday|birthdate|dateofbirth|yearofbirth)|\w*dob|age")
_WRITTEN = re.compile(
    r"bio|biography|about|aboutme|comments?|commenttext|remarks?|feedback|feedbacktext|notes?|usernotes?|essay|answertext"
    r"|submissiontext|justification|headline|signaturetext|motto|interests|hobbies|statusmessage|teachernotes"
    r"|(admin|manager|instructor|teacher|grader|reviewer|rejection|approval|private)(s)?(comments?|notes?|remarks?)"
)
_IP_WORDS = frozenset({"ip", "ipaddress", "lastip", "ipaddr", "remoteaddr", "firstip", "clientip", "loginip"})
_PICTURE = re.compile(
    r"\w*(avatar|gravatar|portrait|photo|headshot|selfie)\w*|(profile|user)(picture|image)\w*|picture\w*"
)
_PRIVATE = re.compile(
    r"gender|sex|pronouns?|nationality|citizenship|ethnicity|race|religion|disability|marital\w*|ssn|socialsecurity\w*"
    r"|passport\w*|taxid|nationalid|iban|bic|salary|emergency\w*|nextofkin|vat|vatnumber|insurance\w*|birthplace|placeofbirth"
    r"|maidenname|bloodtype|device(id|token|name)?|useragent|browser|linkedin\w*|twitter\w*|facebook\w*|instagram\w*"
    r"|github\w*|website|homepage|personalurl|url_personal|signature"
)
_OWN = re.compile(
    r"(custom|customfield|field|extra|extrafield|additional|profilefield|cf|userfield|attribute)s?\w*"
    r"|personal\w*|demographic\w*|metadata|properties|contact(info|details|data)\w*|(profile|user)data"
)
_VALUES = frozenset({"value", "values", "content", "rawvalue", "displayvalue", "fieldvalue", "data", "answer"})
_COURSE = re.compile(
    r"(\w*(course|kurs|cours|curso|corso|cursus)\w*|category\w*|categories|startdate|enddate|summary|summaryformat|creditpoints|lesson\w*|syllabus\w*|workflowstate"
    r"|enrollmenttermid|certification\w*|uidcourse|duration|price|catalog\w*|section(s|id|name)|quiz\w*|grademax|itemtype)"
)
_NOT_NAMES = frozenset(
    {"type", "role", "status", "state", "group", "branch", "level", "title", "category", "department", "organization"}
    | {"company", "timezone", "language", "locale", "country", "roles", "types", "kind", "position", "job", "label"}
)
_NO_DOERS = frozenset(
    {"finish", "due", "complete", "back", "expire", "expires", "end", "start", "return", "submit", "close", "available"}
    | {
        "valid",
        "required",
        "needed",
        "sort",
        "sorted",
        "order",
        "ordered",
        "group",
        "grouped",
        "search",
        "filter",
        "pay",
    }
)
"""Before `by`: what says until when, or how a list is ordered, and not who did it."""
_LONGEST_NAME = 100
_NAMELIKE = re.compile(r"[^\W\d_a-z][^\W\d_]*[.’'-]?[^\W\d_]*(\s+[^\W\d_a-z][^\W\d_]*[.’'-]?[^\W\d_]*){1,3}")  # noqa: RUF001
_SPLIT = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_]+")


@lru_cache(maxsize=50_000)
def words(name: str) -> tuple[str, ...]:
    """Split a member's name: `sisUserId`, `sis_user_id` and `SIS-User-ID` are three words each."""
    return tuple(word.lower() for word in _SPLIT.findall(name))


def is_person_word(name: str, *, plural: bool = True) -> bool:
    """Tell whether a name ends with a word for a person, perhaps for several: `enrolled_users`, `author`."""
    last = (words(name) or ("",))[-1]
    return last in PERSON_WORDS or (plural and last.removesuffix("s") in PERSON_WORDS)


def names_somebody(name: str, value: str) -> bool:
    """Tell whether a text is most likely somebody's name: it looks like one, and its member speaks of a person."""
    parts = words(name)
    if len(value) > _LONGEST_NAME or not parts:
        return False
    speaks = any(word in PERSON_WORDS or word.removesuffix("s") in PERSON_WORDS for word in parts)
    return speaks and parts[-1] not in _NOT_NAMES and bool(_NAMELIKE.fullmatch(value))


def may_name_somebody(name: str, value: str) -> bool:
    """Tell whether a text in a person's object may be another's name: it looks like one, and nothing speaks against."""
    parts = words(name)
    if len(value) > _LONGEST_NAME or not parts or parts[-1] in _NOT_NAMES | {"name", "text", "result", "grade", "url"}:
        return False
    return not _COURSE.fullmatch("".join(parts)) and bool(_NAMELIKE.fullmatch(value))


def is_course_like(names: frozenset[str]) -> bool:
    """Tell whether an object with these members is about a course, or a thing in one."""
    return any(_COURSE.fullmatch("".join(words(name))) for name in names)


@lru_cache(maxsize=50_000)
def holds(name: str) -> Holds:  # noqa: C901, PLR0911, PLR0912 - one line for each kind, in the order they win
    """Tell what stands behind a member's or a parameter's name; brackets and their indexes do not count."""
    parts = words(re.sub(r"\[\d*\]", "", name))
    joined = "".join(parts)
    if not parts:
        return Holds.ANYTHING
    if _is_secret(parts, joined):
        return Holds.SECRET
    if joined in _LIKELY:
        return Holds.LIKELY_SECRET
    if (
        {"email", "emails", "mail", "mails", "courriel", "correo", "epost"} & set(parts)
        or joined.startswith("email")
        or joined.endswith("email")
    ):
        return Holds.ANYTHING if joined.endswith(_FLAGS) else Holds.EMAIL
    if joined in _CALLED:
        return Holds.CALLED
    if _LOGIN.fullmatch(joined):
        return Holds.LOGIN
    if _PERSON_ID.fullmatch(joined):
        return Holds.PERSON_ID
    if _NAME.fullmatch(joined):
        return Holds.NAME
    if joined in _IP_WORDS or parts[-1] == "ip" or parts[-2:] == ("ip", "address"):
        return Holds.IP
    for pattern, kind in _PATTERNS:
        if pattern.fullmatch(joined):
            return kind
    if joined in _VALUES:
        return Holds.VALUE
    if _CODES.fullmatch(joined):
        return Holds.CODE
    if parts[-1] in {"id", "ids", "uuid", "guid", "uid", "ref", "idnumber"} or (
        joined.endswith(("id", "ids")) and joined not in _NO_ID
    ):
        return Holds.ID
    if is_person_word(name) or (parts[-1] == "by" and len(parts) > 1 and parts[-2] not in _NO_DOERS):
        return Holds.PERSON
    if _OWN.fullmatch(joined):
        return Holds.OWN_FIELD
    return Holds.ANYTHING


_PATTERNS = (
    (_PHONE, Holds.PHONE),
    (_ADDRESS, Holds.ADDRESS),
    (_BIRTH, Holds.BIRTH),
    (_WRITTEN, Holds.WRITTEN),
    (_PICTURE, Holds.PICTURE),
    (_PRIVATE, Holds.PRIVATE),
)


def _is_secret(parts: tuple[str, ...], joined: str) -> bool:
    if joined.startswith(("xamz", "xgoog")) or (len(parts) == 1 and parts[0] in _SECRET_WORDS):
        return True
    if joined.endswith(_NO_SECRET_ENDS) and not joined.endswith(
        ("ssourl", "loginurl", "inviteurl", "reseturl", "feedurl", "icalurl")
    ):
        return False
    return joined.endswith(_SECRET_ENDS) or "password" in joined or "secret" in joined
