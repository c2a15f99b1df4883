"""We are at fault (5xx)."""

from service.errors.roots import FenpaiError


class Fault(FenpaiError):
    """服务内部出错。请把 instance 中的请求编号告诉管理员。"""

    code = "internal"
    title = "服务内部出错"


class SealBroken(Fault):
    """已加密的内容无法解开。"""

    code = "seal_broken"
    title = "加密内容无法解开"


class Unavailable(Fault):
    """服务暂时不可用，请稍后重试。"""

    code = "unavailable"
    status = 503
    title = "暂时不可用"
    retry_after = 1


class StorageUnavailable(Unavailable):
    """数据库暂时不可用，请稍后重试。"""

    code = "storage_unavailable"
    title = "数据库不可用"
    retry_after = 5


class SignOnUnavailable(Unavailable):
    """统一身份认证暂时不可用，请稍后重试，或用接口钥匙登录。"""

    code = "sign_on_unavailable"
    title = "统一身份认证不可用"
    retry_after = 30
    frank = True


class Overloaded(Unavailable):
    """等待写入的工单太多，请稍后重试。"""

    code = "overloaded"
    title = "繁忙"


class WriterStopped(Unavailable):
    """服务正在停止，请稍后重试。"""

    code = "stopping"
    title = "正在停止"
    retry_after = 5


class Unready(Unavailable):
    """服务还没有准备好。"""

    code = "unready"
    title = "没有准备好"
    retry_after = 5
    frank = True
