"""What a member holds, told by its name: a secret, somebody's name, an id, or nothing in particular."""

from __future__ import annotations

import re
from enum import Enum, auto
from functools import lru_cache

__all__ = [
    "PERSON_WORDS",
    "Holds",
    "holds",
    "is_person_word",
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
        *(
            "assignor",
            "mgr",
            "observer",
            "profile",
            "worker",
            "colleague",
            "subscriber",
            "invitee",
            "inviter",
            "registrant",
            "usergrade",
        ),
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
    *("webhookurl", "webhook", "hookurl", "recoverycode", "verificationcode", "invitecode", "invitationcode"),
    *("activationkey", "activationcode", "hostkey", "accesscode", "passcode", "enrollmentcode", "enrolmentkey"),
    *("enrollmentkey", "joincode", "backupcodes", "passwordhash", "unsubscribeurl", "joinurl", "activationurl"),
    *("registrationlink", "unsubscribelink", "joinlink", "activationlink"),
)
_SECRET_WORDS = frozenset({"sig", "token", "secret", "password", "csrf", "otp", "sas", "bearer", "salt", "pin", "zak"})
_LIKELY = frozenset({"key", "session", "hash", "auth", "sid", "policy", "code", "state", "ticketid", "guestkey"})
_NO_SECRET_ENDS = (
    *("type", "count", "expires", "expiry", "expiration", "expiresin", "expiresat", "lifetime", "policy", "enabled"),
    *("required", "length", "changed", "changedat", "status", "updatedat", "createdat", "url", "scope", "format"),
)
_LINKS = (
    *("ssourl", "loginurl", "inviteurl", "reseturl", "feedurl", "icalurl", "hookurl", "unsubscribeurl", "joinurl"),
    "activationurl",
)
"""Addresses that let in whoever knows them."""
_FLAGS = (
    *("verified", "confirmed", "enabled", "count", "type", "template", "status", "notification", "notifications"),
    *("stop", "format", "digest", "restrictemail", "display", "visible", "sent", "sentat", "signupmethod", "allowed"),
    *("frequency", "preference", "preferences", "setting", "settings", "optin", "optout", "mode", "subscribed", "body"),
    *("subject", "language", "schedule", "domain", "domains"),
)
_NAME = re.compile(
    r"vorname|nachname|familienname|pr[eé]nom|nomdefamille|apellidos?|cognome|sobrenome|voornaam|achternaam|imi[eę]|nazwisko"
    r"|(for|f[oö]r|efter|etter)na[vm]n|фамилия|имя|отчество|όνομα|επώνυμο|ονοματεπώνυμο|"
    r"(first|last|given|family|sur|middle|maiden|nick|preferred|legal|fore|patronymic|formal|phonetic|alternate)_?names?"
    r"|(first|last|middle|alternate)name(phonetic)?|surname|forename|initials|patronymic|sortablename|namesuffix"
    r"|\w*(first|last|given|family|sur|middle|maiden|nick|legal|preferred)names?\w{0,8}|\w*surname"
    r"|\w*name(first|last|middle|given|family|display|full)(preferred|show)?"
    rf"|({_PERSON})s?(modified|created)?(first|last|full|display|given|family|middle|short|sortable|formatted)?names?"
    r"|(worker|employee|person|user|manager)descriptor|(first|last|middle|mid|full|emp)nm|[flm]name"
)
_CALLED = frozenset(
    {
        "name",
        "descriptor",
        "fullname",
        "displayname",
        "shortname",
        "formattedname",
        "commonname",
        "cn",
        "label",
        "displaylabel",
    }
    | {"nom", "nombre", "nombres", "nome", "naam", "navn", "namn", "nimi"}
)
_LOGIN = re.compile(
    r"\w*usernames?|(login|screen)names?|logins?|loginid|userlogin|upn|userprincipalname|samaccountname|uniquelogin"
    r"|uname|handle|nick|authorusername|userhandle|userslug"
)
_PERSON_ID = re.compile(
    rf"\w*({_PERSON})s?(sis|lti|idp|external|global|sourced|unique|account|integration|original|master|defined|login|ref)?"
    r"(id|ids|uuid|uuids|guid|uid|uids|key|keys|idnumber|identifier|urn|urns)"
    rf"|\w*({_PERSON})(number|no|ref|code)"
    rf"|ids?({_PERSON})s?|personnelnumber|payroll(number|id)|badgenumber|matriculation\w*|registrationnumber"
    r"|matricule|personalnummer|mboxsha1sum|\w*(emp|employee|person|user)nbr|sis(user|login)id|staffid|empid|employeeid|uniqueuserid|childuids?|userid(from|to)"
    r"|user(modified|created|updated|approved|from|to)"
    r"|\w*(override|overridden|created|modified|updated|graded|assigned|enrolled|approved|submitted|completed)byid"
)
_BY = re.compile(
    r"(assigned|reports|sent|delegated|escalated)to|sharedwith|(override|overridden|created|modified|updated|graded|assigned|enrolled|approved|submitted)by"
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
    r"\w*(phone|mobile|cell|fax|telephone|whatsapp|skype|sms|telefon|telefono|handy|telegram|pager)\d?(numbers?|no|home|work)?|tel|icq|msn|aim|yahoo"
)
_ADDRESS = re.compile(
    r"\w*street\d?|addresses|(wohn)?ort|plz|anschrift|adresse|\w*stra(ss|ß)e|\w*address(line\d?|attributes)|mailingaddress|\w*(street|zipcode|postcode|postalcode|homeaddress|mailingaddress|postaladdress|address(line)?\d?)|city|town|zip|county|suburb|pobox|latitude|longitude|lat|lng|geo|location"
)
_BIRTH = re.compile(
    r"(?!\w*(place|city|country))\w*(geburt|naissance|nacimiento|birth)(s?day|s?date|s?year|s?datum)?(date)?|\w*dob|age"
)
_WRITTEN = re.compile(
    r"bio|biography|about|aboutme|comments?|commenttext|remarks?|feedback|feedbacktext|notes?|usernotes?|essay|answertext"
    r"|submissiontext|justification|headline|signaturetext|motto|interests|hobbies|statusmessage|teachernotes"
    r"|(admin|manager|instructor|teacher|grader|reviewer|rejection|approval|private)(s)?(comments?|notes?|remarks?)"
)
_IP_WORDS = frozenset({"ip", "ipaddress", "lastip", "ipaddr", "remoteaddr", "firstip", "clientip", "loginip"})
_PICTURE = re.compile(
    r"\w*(avatar|gravatar|portrait|photo|headshot|selfie)\w*|(profile|user)(picture|image|badge)\w*|picture\w*"
)
_PRIVATE = re.compile(
    r"gender|sex|pronouns?|nationality|citizenship|ethnicity|race|religion|disability|marital\w*|ssn|socialsecurity\w*"
    r"|passport\w*|\w*taxid|billing\w*|invoice\w*|social\w*|goals|levelofeducation|birth(place|city|country)|nationalid|iban|bic|salary|emergency\w*|nextofkin|vat|vatnumber|insurance\w*|birthplace|placeofbirth"
    r"|maidenname|bloodtype|device(id|token|name)?|useragent|browser|linkedin\w*|twitter\w*|facebook\w*|instagram\w*"
    r"|github\w*|website|homepage|personalurl|url_personal|signature"
)
_OWN = re.compile(
    r"(extended(user)?profile|custom|customfield|field|extra|extrafield|additional|profilefield|cf|userfield|attribute)s?\w*"
    r"|personal\w*|demographic\w*|metadata|properties|contact(info|details|data)\w*|(profile|user)data"
)
_VALUES = frozenset({"value", "values", "content", "rawvalue", "displayvalue", "fieldvalue", "data", "answer"})
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
        "notify",
        "delivered",
    }
)
"""Before `by`: what says until when, or how a list is ordered, and not who did it."""
_SPLIT = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_]+")


@lru_cache(maxsize=50_000)
def words(name: str) -> tuple[str, ...]:
    """Split a member's name: `sisUserId`, `sis_user_id` and `SIS-User-ID` are three words each."""
    return tuple(word.lower() for word in _SPLIT.findall(name))


def is_person_word(name: str, *, plural: bool = True) -> bool:
    """Tell whether a name ends with a word for a person, perhaps for several: `enrolled_users`, `author`."""
    last = (words(name) or ("",))[-1]
    return last in PERSON_WORDS or (plural and last.removesuffix("s") in PERSON_WORDS)


@lru_cache(maxsize=50_000)
def holds(name: str) -> Holds:  # noqa: C901, PLR0911, PLR0912 - one line for each kind, in the order they win
    """Tell what stands behind a member's or a parameter's name; brackets and their indexes do not count."""
    parts = words(re.sub(r"\[\d*\]", "", name))
    joined = "".join(parts)
    if not parts:
        return Holds.ANYTHING
    last = parts[-1]
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
    if _PRIVATE.fullmatch(joined):
        return Holds.PRIVATE
    if _LOGIN.fullmatch(joined):
        return Holds.LOGIN
    if _PERSON_ID.fullmatch(joined):
        return Holds.PERSON_ID
    if _NAME.fullmatch(joined):
        return Holds.NAME
    if joined in _IP_WORDS or last == "ip" or parts[-2:] == ("ip", "address"):
        return Holds.IP
    for pattern, kind in _PATTERNS:
        if pattern.fullmatch(joined):
            return kind
    if joined in _VALUES:
        return Holds.VALUE
    if _CODES.fullmatch(joined):
        return Holds.CODE
    if last in {"id", "ids", "uuid", "guid", "uid", "ref", "idnumber", "identifier", "urn"} or (
        joined.endswith(("id", "ids")) and joined not in _NO_ID
    ):
        return Holds.ID
    if joined.startswith("extended"):
        return Holds.OWN_FIELD if _OWN.fullmatch(joined) else Holds.ANYTHING
    if last == "profile" and len(parts) > 1:
        return Holds.ANYTHING
    if (
        is_person_word(name)
        or _BY.fullmatch(joined)
        or (last == "by" and len(parts) > 1 and parts[-2] not in _NO_DOERS)
    ):
        return Holds.PERSON
    if last in {"comment", "comments", "remark", "remarks", "feedback"}:
        return Holds.WRITTEN
    if last in {"city", "town", "postcode", "postalcode", "zipcode", "street"}:
        return Holds.ADDRESS
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
    if joined.endswith(_NO_SECRET_ENDS) and not joined.endswith(_LINKS):
        return False
    return joined.endswith(_SECRET_ENDS) or "password" in joined or "secret" in joined
