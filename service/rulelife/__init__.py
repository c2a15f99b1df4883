"""The life of a rule set: drafts are examined, compared, tried on the past, published; versions are put in force and taken back.

The command line and the API go the same way:

draft = read_draft(files)                              # or DraftBroken, with all mistakes
ready = prepare(draft, Proposal(...), confirmed)       # or CasesFail, ConfirmedBreak: unless overruled with a reason
row = publish(conn, ready, now)                        # version and activation in the transaction around it
"""

from service.rulelife import approval, fresh, kept, merge
from service.rulelife.archive import packed, read_source, unpack, write_folder
from service.rulelife.diff import Change, compare, told
from service.rulelife.draft import Draft, active_version, check, files_of, read_draft, read_version, same_pack
from service.rulelife.errors import (
    ApprovalMissing,
    ApprovalNotOpen,
    ArchiveBroken,
    AuthorMissing,
    BaseMoved,
    CasesFail,
    ConfirmedBreak,
    DraftBroken,
    DraftClosed,
    DraftFileNotFound,
    DraftNotFound,
    DraftsFull,
    DraftStale,
    EditRefused,
    JobNotFound,
    MergeConflict,
    NothingNew,
    OwnApproval,
    PackMismatch,
    VersionBroken,
)
from service.rulelife.publish import Proposal, Ready, activate, needs_second, prepare, publish, signed, something_new
from service.rulelife.stored import active_engine, replay_confirmed, replay_stored

__all__ = [
    "ApprovalMissing",
    "ApprovalNotOpen",
    "ArchiveBroken",
    "AuthorMissing",
    "BaseMoved",
    "CasesFail",
    "Change",
    "ConfirmedBreak",
    "Draft",
    "DraftBroken",
    "DraftClosed",
    "DraftFileNotFound",
    "DraftNotFound",
    "DraftStale",
    "DraftsFull",
    "EditRefused",
    "JobNotFound",
    "MergeConflict",
    "NothingNew",
    "OwnApproval",
    "PackMismatch",
    "Proposal",
    "Ready",
    "VersionBroken",
    "activate",
    "active_engine",
    "active_version",
    "approval",
    "check",
    "compare",
    "files_of",
    "fresh",
    "kept",
    "merge",
    "needs_second",
    "packed",
    "prepare",
    "publish",
    "read_draft",
    "read_source",
    "read_version",
    "replay_confirmed",
    "replay_stored",
    "same_pack",
    "signed",
    "something_new",
    "told",
    "unpack",
    "write_folder",
]
