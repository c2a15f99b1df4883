"""The request is at fault (4xx)."""

from collections.abc import Mapping, Sequence

from service.errors.roots import FenpaiError, FieldFault


class Refusal(FenpaiError):
    """请求有误。"""

    code = "refused"
    status = 400
    title = "请求有误"
    frank = True


class Malformed(Refusal):
    """请求无法读懂。"""

    code = "malformed"
    title = "请求无法读懂"


class BodyEmpty(Malformed):
    """请求体是空的，请把内容以 JSON 放在请求体中。"""

    code = "body_empty"
    title = "请求体为空"


class BodyNotUtf8(Malformed):
    """请求体不是 UTF-8 编码。"""

    code = "body_not_utf8"
    title = "编码不是 UTF-8"


class JsonBroken(Malformed):
    """请求体不是完整的 JSON。"""

    code = "json_broken"
    title = "JSON 语法错误"


class KeyTwice(Malformed):
    """同一个字段写了两次，不知道以哪个为准。"""

    code = "duplicate_key"
    title = "字段重复"


class CursorInvalid(Malformed):
    """游标无法识别。请原样使用上一页给出的 next，并保持其他条件不变。"""

    code = "cursor_invalid"
    title = "游标无效"


class KeyInvalid(Malformed):
    """请求头 Idempotency-Key 须为 1 至 255 个可见的 ASCII 字符。"""

    code = "idempotency_key_invalid"
    title = "幂等键无效"


class Unauthorized(Refusal):
    """没有出示能用的接口钥匙。"""

    code = "unauthorized"
    status = 401
    title = "未经认证"
    headers: Mapping[str, str] = {"WWW-Authenticate": 'Bearer realm="fenpai"'}


class AccessKeyMissing(Unauthorized):
    """请在请求头 Authorization 中出示接口钥匙：Bearer 后接一个空格和钥匙。"""

    code = "key_missing"
    title = "没有出示钥匙"


class AccessKeyRefused(Unauthorized):
    """没有这把钥匙。"""

    code = "key_refused"
    title = "钥匙无效"
    headers: Mapping[str, str] = {"WWW-Authenticate": 'Bearer realm="fenpai", error="invalid_token"'}


class SessionEnded(Unauthorized):
    """登录已结束，请重新登录。"""

    code = "session_ended"
    title = "登录已结束"


class Forbidden(Refusal):
    """这把钥匙不能这样做。"""

    code = "forbidden"
    status = 403
    title = "没有权限"


class ScopeMissing(Forbidden):
    """这把钥匙不能用于这个接口。"""

    code = "scope_missing"
    title = "钥匙不能用于此"
    headers: Mapping[str, str] = {"WWW-Authenticate": 'Bearer realm="fenpai", error="insufficient_scope"'}


class OthersCases(Forbidden):
    """这把钥匙只能查看本单位主办或协办的案件。"""

    code = "others_cases"
    title = "只能查看本单位的案件"


class IdentityKept(Forbidden):
    """不向这把钥匙提供诉求人信息。"""

    code = "identity_kept"
    title = "诉求人信息不提供"


class ForeignPage(Forbidden):
    """这个请求不是由本服务自己的页面发出的，已拒绝。请在管理台的页面上操作；程序请用接口钥匙。"""

    code = "foreign_page"
    title = "不是本站页面发出的请求"


class SignOnRefused(Forbidden):
    """没有登录成功：这次登录已经用过、过期，或不是从这个浏览器开始的。请回到登录页重新登录。"""

    code = "sign_on_refused"
    title = "单位账号登录没有成功"


class NotFound(Refusal):
    """没有找到。"""

    code = "not_found"
    status = 404
    title = "没有找到"


class RouteNotFound(NotFound):
    """没有这个地址。接口一览见 /docs。"""

    code = "route_not_found"
    title = "没有这个地址"


class CaseNotFound(NotFound):
    """没有这个编号的案件。"""

    code = "case_not_found"
    title = "没有这个案件"


class RulesetNotFound(NotFound):
    """没有这个版本的规则集。"""

    code = "ruleset_not_found"
    title = "没有这个规则集"


class DepartmentNotFound(NotFound):
    """没有这个单位。"""

    code = "department_not_found"
    title = "没有这个单位"


class ChannelStale(Refusal):
    """通道在读取之后又有人改过，没有改动；请重新读取。"""

    code = "channel_stale"
    status = 412
    title = "通道已有改动"


class ChannelNotFound(NotFound):
    """这个单位没有设置通道。"""

    code = "channel_not_found"
    title = "没有通道"


class DeliveryNotFound(NotFound):
    """没有这个编号的送达。"""

    code = "delivery_not_found"
    title = "没有这个送达"


class AccessKeyNotFound(NotFound):
    """没有这个编号的钥匙。"""

    code = "key_not_found"
    title = "没有这把钥匙"


class SignOnMissing(NotFound):
    """本服务没有接入统一身份认证，请用接口钥匙登录。"""

    code = "sign_on_missing"
    title = "不能用单位账号登录"


class MethodNotAllowed(Refusal):
    """这个地址不接受这种请求方法。"""

    code = "method_not_allowed"
    status = 405
    title = "方法不允许"


class BodyTooSlow(Refusal):
    """请求体迟迟没有发完。"""

    code = "body_too_slow"
    status = 408
    title = "请求超时"


class Conflict(Refusal):
    """与已有的内容冲突。"""

    code = "conflict"
    status = 409
    title = "内容冲突"


class OrderConflict(Conflict):
    """这个来源系统的同一工单编号已经收过，内容不同。"""

    code = "order_conflict"
    title = "工单编号已用于其他内容"


class KeyConflict(Conflict):
    """这个 Idempotency-Key 已经用于另一份内容。"""

    code = "idempotency_key_conflict"
    title = "幂等键已用于其他内容"


class CursorAhead(Conflict):
    """游标比现有的变更还新。"""

    code = "cursor_ahead"
    title = "游标超前"


class ChannelMissing(Conflict):
    """这个单位没有设置通道，送不出去。"""

    code = "channel_missing"
    title = "没有通道"


class TooLarge(Refusal):
    """请求体过大。"""

    code = "too_large"
    status = 413
    title = "请求体过大"


class WrongMediaType(Refusal):
    """请求体的类型不受支持。"""

    code = "wrong_media_type"
    status = 415
    title = "类型不受支持"


class Invalid(Refusal):
    """请求内容不合格式。"""

    code = "invalid"
    status = 422
    title = "请求内容不合格式"

    def __init__(self, detail: str | None = None, faults: Sequence[FieldFault] = ()) -> None:
        super().__init__(detail or (f"有 {len(faults)} 处不合格式，见 errors。" if faults else None))
        self.faults = tuple(faults)


class ParameterInvalid(Invalid):
    """查询参数有误。"""

    code = "parameter_invalid"
    title = "查询参数有误"


class TooMuch(Refusal):
    """符合条件的太多，请缩小范围。"""

    code = "too_much"
    status = 422
    title = "符合条件的太多"


class VersionMissing(Refusal):
    """请求头 If-Match 须写明读到的案件版本（ETag），例如 If-Match: "3"。"""

    code = "version_missing"
    status = 428
    title = "没有写明版本"


class VersionUnreadable(Malformed):
    """请求头 If-Match 里没有可用的版本。版本号原样取自 ETag，连同双引号，例如 If-Match: "3"；弱标签（W/ 开头）不能用。"""

    code = "version_unreadable"
    title = "版本写法不对"


class TooMany(Refusal):
    """请求太多，请稍后再试。"""

    code = "too_many"
    status = 429
    title = "请求太多"
    retry_after = 60

    def __init__(self, seconds: int = 60, detail: str | None = None) -> None:
        super().__init__(detail)
        self.retry_after = seconds


class TooOften(TooMany):
    """这把钥匙的请求太密，请按 Retry-After 所说的秒数之后再试。"""

    code = "rate_limited"
    title = "请求太密"
    retry_after = 1


class TooManyGuesses(TooMany):
    """从这个地址出示的钥匙不对的次数太多。钥匙对的请求不受影响；请改正钥匙，过一会再试。"""

    code = "too_many_guesses"
    title = "钥匙不对的次数太多"


class TooManyAttempts(TooMany):
    """从这个地址登录失败的次数太多，请过几分钟再试。"""

    code = "too_many_attempts"
    title = "登录失败次数太多"
