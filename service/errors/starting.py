"""The house cannot open: the command line prints why, and ends with 2."""

from service.errors.roots import FenpaiError


class StartError(FenpaiError):
    """启动失败。"""

    code = "start_failed"
    title = "启动失败"
    exit_code = 2


class SettingsInvalid(StartError):
    """环境变量有误。"""

    code = "settings_invalid"
    title = "设置有误"


class ListenFailed(StartError):
    """无法监听这个地址。"""

    code = "listen_failed"
    title = "无法监听"


class PackMissing(StartError):
    """找不到规则包。"""

    code = "pack_missing"
    title = "找不到规则包"


class PackBroken(StartError):
    """规则包有错误，没有启用。"""

    code = "pack_broken"
    title = "规则包有错误"


class PackOther(StartError):
    """这个数据库属于另一个规则包。"""

    code = "pack_other"
    title = "规则包不符"


class DatabaseUrlInvalid(StartError):
    """数据库地址无法识别。"""

    code = "database_url_invalid"
    title = "数据库地址有误"


class DatabaseUnreachable(StartError):
    """打不开数据库。"""

    code = "database_unreachable"
    title = "打不开数据库"


class DatabaseMissing(StartError):
    """数据库里还没有 fenpai 的表。"""

    code = "database_missing"
    title = "数据库未建立"


class DatabaseOutdated(StartError):
    """数据库结构比程序旧。"""

    code = "database_outdated"
    title = "数据库待升级"


class DatabaseTooNew(StartError):
    """数据库结构比程序新。"""

    code = "database_too_new"
    title = "数据库比程序新"


class DatabaseInUse(StartError):
    """数据库正由另一个进程写入。"""

    code = "database_in_use"
    title = "数据库被占用"


class BackupElsewhere(StartError):
    """PostgreSQL 请用它自己的工具：pg_dump --format=custom --file=fenpai.dump 数据库地址，恢复用 pg_restore；数据密钥另处存好。"""

    code = "backup_elsewhere"
    title = "请用 pg_dump 备份"


class BackupUnsound(StartError):
    """备份出来的文件不完好，没有留下。"""

    code = "backup_unsound"
    title = "备份不完好"


class WorkRefused(StartError):
    """SQLite 的数据库由 fenpai serve 自己送达，不能另开 fenpai work；要分开运行，请改用 PostgreSQL（FENPAI_DATABASE_URL）。"""

    code = "work_refused"
    title = "不能单独送达"


class DataKeyInvalid(StartError):
    """数据密钥格式有误。"""

    code = "data_key_invalid"
    title = "数据密钥有误"


class DataKeyMissing(StartError):
    """没有设置数据密钥。"""

    code = "data_key_missing"
    title = "缺少数据密钥"


class DataKeyMismatch(StartError):
    """数据密钥与数据库不符：来电人信息是用另一把密钥加密的。请放回原来的密钥文件，或把原密钥与新密钥一起写入 FENPAI_DATA_KEY。"""

    code = "data_key_mismatch"
    title = "数据密钥不符"


class OpenDoor(StartError):
    """还没有接口钥匙，不能监听本机以外的地址。"""

    code = "open_door"
    title = "还没有接口钥匙"
