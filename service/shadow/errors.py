"""Why a shadow is not started, stopped or told.

NotFound
└── ShadowMissing    404: none runs, or none ever ran
Conflict
└── ShadowRunning    409: one runs already
"""

from service.errors import Conflict, NotFound


class ShadowMissing(NotFound):
    """没有正在影子运行的草稿。"""

    code = "shadow_missing"
    title = "没有影子运行"


class ShadowRunning(Conflict):
    """已有草稿在影子运行，一次只能有一个。"""

    code = "shadow_running"
    title = "已有影子运行"
