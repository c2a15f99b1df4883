"""Every way in which fenpai says no: one small tree, in Chinese for people, with a stable English code for programs.

FenpaiError
├── StartError                 the house cannot open; the command line prints it and ends with 2
│   ├── SettingsInvalid        a FENPAI_ name or value is wrong
│   ├── ListenFailed           the address to listen on cannot be had
│   ├── PackMissing            there is no such rule pack
│   ├── PackBroken             a rule pack has mistakes
│   ├── PackOther              the database is that of another district
│   ├── DatabaseUrlInvalid, DatabaseUnreachable, DatabaseMissing, DatabaseOutdated, DatabaseTooNew, DatabaseInUse
│   ├── BackupElsewhere, BackupUnsound
│   ├── WorkRefused            a dispatcher by itself needs PostgreSQL
│   ├── DataKeyInvalid, DataKeyMissing, DataKeyMismatch
│   └── OpenDoor               to listen beyond this machine there must be an API key
├── Refusal                    the request is at fault (4xx)
│   ├── Malformed              400: BodyEmpty, BodyNotUtf8, JsonBroken, KeyTwice, CursorInvalid, KeyInvalid
│   ├── Unauthorized           401: AccessKeyMissing, AccessKeyRefused, SessionEnded
│   ├── Forbidden              403: ScopeMissing, OthersCases, IdentityKept, ForeignPage
│   ├── NotFound               404: RouteNotFound, CaseNotFound, RulesetNotFound, DepartmentNotFound, ChannelNotFound, DeliveryNotFound,
│   │                               AccessKeyNotFound
│   ├── MethodNotAllowed       405
│   ├── BodyTooSlow            408
│   ├── Conflict               409: OrderConflict, KeyConflict, CursorAhead, ChannelMissing
│   ├── TooLarge               413
│   ├── WrongMediaType         415
│   ├── Invalid                422: fields are wrong, each named by a JSON pointer; ParameterInvalid for those of the query; TooMuch
│   ├── VersionMissing         428: a move must say which version of the case it was decided on
│   └── TooMany                429: TooOften, TooManyAttempts
└── Fault                      we are at fault (5xx)
    ├── SealBroken             500: what was encrypted cannot be read with the keys we hold
    └── Unavailable            503, try again: StorageUnavailable, Overloaded, WriterStopped, Unready

Each takes one Chinese `detail`; without one, the docstring speaks. This package imports nothing of ours.
"""

from collections.abc import Iterator

from service.errors.faults import (
    Fault,
    Overloaded,
    SealBroken,
    SignOnUnavailable,
    StorageUnavailable,
    Unavailable,
    Unready,
    WriterStopped,
)
from service.errors.refusals import (
    AccessKeyMissing,
    AccessKeyNotFound,
    AccessKeyRefused,
    BodyEmpty,
    BodyNotUtf8,
    BodyTooSlow,
    CaseNotFound,
    ChannelMissing,
    ChannelNotFound,
    ChannelStale,
    Conflict,
    CursorAhead,
    CursorInvalid,
    DeliveryNotFound,
    DepartmentNotFound,
    Forbidden,
    ForeignPage,
    IdentityKept,
    Invalid,
    JsonBroken,
    KeyConflict,
    KeyInvalid,
    KeyTwice,
    Malformed,
    MethodNotAllowed,
    NotFound,
    OrderConflict,
    OthersCases,
    ParameterInvalid,
    Refusal,
    RouteNotFound,
    RulesetNotFound,
    ScopeMissing,
    SessionEnded,
    SignOnMissing,
    SignOnRefused,
    TooLarge,
    TooMany,
    TooManyAttempts,
    TooManyGuesses,
    TooMuch,
    TooOften,
    Unauthorized,
    VersionMissing,
    VersionUnreadable,
    WrongMediaType,
)
from service.errors.roots import (
    FenpaiError,
    FieldFault,
    PackUnusable,
)
from service.errors.starting import (
    BackupElsewhere,
    BackupUnsound,
    DatabaseInUse,
    DatabaseMissing,
    DatabaseOutdated,
    DatabaseTooNew,
    DatabaseUnreachable,
    DatabaseUrlInvalid,
    DataKeyInvalid,
    DataKeyMismatch,
    DataKeyMissing,
    ListenFailed,
    OpenDoor,
    PackBroken,
    PackMissing,
    PackOther,
    SettingsInvalid,
    StartError,
    WorkRefused,
)

__all__ = [
    "AccessKeyMissing",
    "AccessKeyNotFound",
    "AccessKeyRefused",
    "BackupElsewhere",
    "BackupUnsound",
    "BodyEmpty",
    "BodyNotUtf8",
    "BodyTooSlow",
    "CaseNotFound",
    "ChannelMissing",
    "ChannelNotFound",
    "ChannelStale",
    "Conflict",
    "CursorAhead",
    "CursorInvalid",
    "DataKeyInvalid",
    "DataKeyMismatch",
    "DataKeyMissing",
    "DatabaseInUse",
    "DatabaseMissing",
    "DatabaseOutdated",
    "DatabaseTooNew",
    "DatabaseUnreachable",
    "DatabaseUrlInvalid",
    "DeliveryNotFound",
    "DepartmentNotFound",
    "Fault",
    "FenpaiError",
    "FieldFault",
    "Forbidden",
    "ForeignPage",
    "IdentityKept",
    "Invalid",
    "JsonBroken",
    "KeyConflict",
    "KeyInvalid",
    "KeyTwice",
    "ListenFailed",
    "Malformed",
    "MethodNotAllowed",
    "NotFound",
    "OpenDoor",
    "OrderConflict",
    "OthersCases",
    "Overloaded",
    "PackBroken",
    "PackMissing",
    "PackOther",
    "PackUnusable",
    "ParameterInvalid",
    "Refusal",
    "RouteNotFound",
    "RulesetNotFound",
    "ScopeMissing",
    "SealBroken",
    "SessionEnded",
    "SettingsInvalid",
    "SignOnMissing",
    "SignOnRefused",
    "SignOnUnavailable",
    "StartError",
    "StorageUnavailable",
    "TooLarge",
    "TooMany",
    "TooManyAttempts",
    "TooManyGuesses",
    "TooMuch",
    "TooOften",
    "Unauthorized",
    "Unavailable",
    "Unready",
    "VersionMissing",
    "VersionUnreadable",
    "WorkRefused",
    "WriterStopped",
    "WrongMediaType",
    "problems",
]


def problems() -> Iterator[type[FenpaiError]]:
    """Every error that an HTTP answer can carry, in the order of the tree: the table of codes."""
    waiting: list[type[FenpaiError]] = [Refusal, Fault]
    while waiting:
        kind = waiting.pop(0)
        yield kind
        waiting.extend(kind.__subclasses__())
