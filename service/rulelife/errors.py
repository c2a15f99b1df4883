"""Why a rule set is not published, not put in force, or not even read.

Refusal
├── ArchiveBroken      400: the zip cannot be unpacked, or not safely
├── NotFound 404: DraftNotFound, DraftFileNotFound, JobNotFound
├── OwnApproval        403: who asked for it or worked on it cannot approve
├── DraftStale         412: the draft has changed since it was read
├── Invalid 422
│   ├── EditRefused    the edit cannot be made of the text as it is written
│   ├── DraftBroken    the draft has mistakes; each with file, line, column and how to mend it
│   ├── AuthorMissing  who publishes and why must be said
│   └── PackMismatch   the draft is of another pack
├── CasesFail          422: cases beside the rules fail, and nobody took it upon themselves
├── ConfirmedBreak     422: cases that officers confirmed would go wrong
└── Conflict 409
    ├── BaseMoved      another version came into force since the draft was begun
    ├── ApprovalMissing  a second person must approve this content first
    ├── ApprovalNotOpen  nothing waits to be decided, or something does already
    ├── DraftClosed    the draft was published or discarded
    ├── DraftsFull     too many drafts are open
    ├── MergeConflict  the draft and the version in force changed the same
    ├── NothingNew     the version in force has the same content
    └── VersionBroken  the version cannot be read by this program, so it cannot be put in force
"""

from collections.abc import Sequence

from service.errors import Conflict, FieldFault, Invalid, Malformed, NotFound, Refusal
from service.rulebook import Mistake
from service.ruletest import Report, as_json, text

SHOWN = 50
"""Most mistakes told in one answer."""


class ArchiveBroken(Malformed):
    """压缩包打不开。"""

    code = "archive_broken"
    title = "压缩包有误"


class DraftBroken(Invalid):
    """规则包有错误。"""

    code = "draft_broken"
    title = "规则包有错误"

    @classmethod
    def by(cls, mistakes: Sequence[Mistake]) -> "DraftBroken":
        """Told with its errors; the warnings beside them would only hide what must be mended."""
        errors = [mistake for mistake in mistakes if mistake.severity == "error"]
        faults = [FieldFault(f"/files/{_escaped(mistake.file)}", str(mistake), mistake.code) for mistake in errors[:SHOWN]]
        return cls(f"规则包有 {len(errors)} 处错误，没有采用。", faults)


class AuthorMissing(Invalid):
    """须写明谁做的和为什么：author、note；命令行里是 --author、--note。"""

    code = "author_missing"
    title = "缺少发布人或说明"


class PackMismatch(Invalid):
    """这是另一个规则包的草稿。"""

    code = "pack_mismatch"
    title = "规则包不符"


class CasesFail(Refusal):
    """规则旁的用例没有全部通过。"""

    code = "cases_fail"
    status = 422
    title = "用例未通过"

    @classmethod
    def by(cls, report: Report) -> "CasesFail":
        refusal = cls(f"{len(report.failed)} 个用例未通过，没有发布。请改好，或写明理由（overrule）后仍然发布。")
        refusal.members = {"failed": as_json(report)["failed"][:SHOWN]}
        refusal.shown = text(report)
        return refusal

    shown = ""
    """The failures as a terminal shows them."""


class ConfirmedBreak(Refusal):
    """有经人确认的案件会因此出错。"""

    code = "confirmed_break"
    status = 422
    title = "确认过的案件会出错"


class DraftNotFound(NotFound):
    """没有这个编号的草稿。"""

    code = "draft_not_found"
    title = "没有这个草稿"


class DraftFileNotFound(NotFound):
    """草稿里没有这个文件。"""

    code = "draft_file_not_found"
    title = "没有这个文件"


class JobNotFound(NotFound):
    """没有这个编号的任务。较早的任务不再保留。"""

    code = "job_not_found"
    title = "没有这个任务"


class OwnApproval(Refusal):
    """双人审批：请求审批的人和改过草稿的人不能自己批准。"""

    code = "own_approval"
    status = 403
    title = "须由另一人批准"


class DraftStale(Refusal):
    """草稿在读取之后又有人改过，没有改动；请重新读取。"""

    code = "draft_stale"
    status = 412
    title = "草稿已有改动"


class EditRefused(Invalid):
    """这处改动做不了。"""

    code = "edit_refused"
    title = "改不了"


class DraftClosed(Conflict):
    """草稿已发布或已丢弃，不能再改。"""

    code = "draft_closed"
    title = "草稿已结束"


class DraftsFull(Conflict):
    """没有结束的草稿太多，请先发布或丢弃一些。"""

    code = "drafts_full"
    title = "草稿太多"


class ApprovalMissing(Conflict):
    """实行双人审批：请先把内容作为草稿请求审批，由另一人批准后再发布；放行理由（overrule）不能代替审批。"""

    code = "approval_missing"
    title = "尚未批准"


class ApprovalNotOpen(Conflict):
    """没有等待决定的审批请求。"""

    code = "approval_not_open"
    title = "没有待批的请求"


class BaseMoved(Conflict):
    """草稿所依据的版本已不是在用的版本。"""

    code = "base_moved"
    title = "已有别的版本启用"


class MergeConflict(Conflict):
    """草稿和在用的版本改了同一处，没有合并。"""

    code = "merge_conflict"
    title = "改了同一处"


class NothingNew(Conflict):
    """内容与在用的版本相同，没有发布。"""

    code = "nothing_new"
    title = "没有变化"


class VersionBroken(Conflict):
    """这个版本无法装入，不能启用。"""

    code = "version_broken"
    title = "版本无法装入"


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
