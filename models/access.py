"""API keys on the wire: what a key may do, and how keys are asked for and told. The key itself is told once, when it is made."""

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints, field_validator

from models.complaint import Text, Wire

HOTLINE, VIEWER, RULE_ADMIN, APPROVER, ADMIN, DEPARTMENT = "hotline", "viewer", "rule_admin", "approver", "admin", "department"
OF_DEPARTMENT = f"{DEPARTMENT}:"
"""A department's scope names it: `department:` and its code."""

SCOPE_NAMES = {
    HOTLINE: "热线",
    DEPARTMENT: "单位",
    VIEWER: "查看",
    RULE_ADMIN: "规则管理",
    APPROVER: "规则审批",
    ADMIN: "管理员",
}

_PLAIN = f"{HOTLINE}|{VIEWER}|{RULE_ADMIN}|{APPROVER}|{ADMIN}"
Scope = Annotated[str, StringConstraints(pattern=rf"^({_PLAIN}|{OF_DEPARTMENT}[a-z][a-z0-9_]{{0,39}})$")]
MAX_DAYS = 3650


class KeyIn(Wire):
    """新钥匙: whose it is, what it may do, how long."""

    name: Text = Field(min_length=1, max_length=100, description="谁用：系统或人的名称，记入日志和审计")
    scopes: tuple[Scope, ...] = Field(
        min_length=1,
        max_length=6,
        description="能做什么：hotline、department:单位代码（至多一个）、viewer、rule_admin、approver、admin",
    )
    days: int | None = Field(365, ge=1, le=MAX_DAYS, description="多少天后失效；null 为不失效")

    @field_validator("name")
    @classmethod
    def _one_line(cls, name: str) -> str:
        if not name.isprintable():
            raise ValueError("不能含有换行等控制字符")
        return name

    @field_validator("scopes")
    @classmethod
    def _of_one_department(cls, scopes: tuple[str, ...]) -> tuple[str, ...]:
        if sum(scope.startswith(OF_DEPARTMENT) for scope in scopes) > 1:
            raise ValueError("一把钥匙至多属于一个单位")
        return tuple(dict.fromkeys(scopes))


class RotateIn(Wire):
    """换钥匙: how long the old one still opens."""

    overlap_hours: float = Field(24, ge=0, le=24 * 90, allow_inf_nan=False, description="旧钥匙还能用多少小时，供各处换用")
    days: int | None = Field(365, ge=1, le=MAX_DAYS, description="新钥匙多少天后失效；null 为不失效")


class KeyTold(BaseModel):
    """钥匙, without what opens."""

    id: str = Field(description="钥匙编号，即钥匙的开头；日志和审计中以它指称")
    name: str = Field(description="谁用")
    scopes: list[str] = Field(description="能做什么")
    created_at: AwareDatetime = Field(description="何时发的")
    created_by: str = Field(description="谁发的")
    expires_at: AwareDatetime | None = Field(description="何时失效；null 为不失效")
    revoked_at: AwareDatetime | None = Field(description="何时吊销的；null 为没有")
    replaced_by: str | None = Field(description="已换为哪一把；null 为没有换")
    live: bool = Field(description="现在能不能用")


class KeyMade(KeyTold):
    """新钥匙, with what opens."""

    key: str = Field(description="钥匙本身，只在这一次答复中给出；请求头写作 `Authorization: Bearer 钥匙`")


class KeyList(BaseModel):
    """全部钥匙."""

    keys: list[KeyTold] = Field(description="钥匙，新的在前")
