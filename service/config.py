"""Settings: read from the environment once, checked, then never changed. A mistyped name is refused at the start."""

import ipaddress
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from service.errors import SettingsInvalid

PREFIX = "FENPAI_"
NOT_OURS = frozenset({"FENPAI_TEST_PG_URL"})
"""Names with our prefix that the tests read and the service does not."""


class Settings(BaseModel):
    """Everything that an installation can choose."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    database_url: str = Field(
        "sqlite:///fenpai.db", min_length=1, repr=False, description="数据库：sqlite:///文件 或 postgresql://用户@主机/库名"
    )
    pack: str = Field("beichen", min_length=1, description="规则包：名称或文件夹")
    rules_dir: str = Field("", description="监视这个规则包文件夹，存盘即检查、测试、发布；设了它就不看 FENPAI_PACK")
    host: str = Field("127.0.0.1", min_length=1, description="监听地址；监听本机以外须先发接口钥匙（fenpai keys create）")
    metrics_port: int | None = Field(None, ge=0, le=65535, description="fenpai work 在这个端口给出 /metrics 和 /healthz；不设则不给")
    trusted_proxies: str = Field(
        "", description="反向代理的地址或网段，用逗号隔开；只有从它们来的请求，才按 X-Forwarded-For 认客户端的地址。不能写 *"
    )
    port: int = Field(8360, ge=0, le=65535, description="监听端口；0 表示任选一个")
    data_key: SecretStr | None = Field(None, description="加密诉求人信息的密钥，新的在前，用逗号隔开；SQLite 可不设")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="日志级别")
    max_case_bytes: int = Field(1_000_000, ge=1_000, le=100_000_000, description="一个工单的请求体最多多少字节")
    max_batch_bytes: int = Field(256_000_000, ge=1_000, description="一批工单的请求体最多多少字节")
    delivery_attempts: int = Field(30, ge=1, le=1_000, description="一条消息最多送多少次，之后放弃")
    delivery_timeout: float = Field(10, ge=0.1, le=120, allow_inf_nan=False, description="等待对方系统答复多少秒")
    delivery_pause: float = Field(2, ge=0.01, le=3600, allow_inf_nan=False, description="首次失败后隔多少秒再送，逐次加倍，至多一小时")
    delivery_margin: float = Field(
        20, ge=1, le=600, allow_inf_nan=False, description="送达的进程中断后，它手上的消息再过多少秒（另加等待答复的秒数）由别的进程接着送"
    )
    allow_private_targets: Literal["yes", "no"] = Field("no", description="yes：允许向本机和内网的地址送达")
    second_person: Literal["yes", "no"] = Field("no", description="yes：发布规则须先由另一人批准（规则包也可自定）")
    session_idle: int = Field(30, ge=1, le=1_440, description="登录后多少分钟不操作就自动退出")
    session_hours: float = Field(12, gt=0, le=720, allow_inf_nan=False, description="登录后最多多少小时必须重新登录")
    oidc_jwks: str = Field(
        "", description="单点登录（OIDC）签发方的公钥文件（JWKS）；设了它，请求也可以带它签发的令牌（须装 fenpai[oidc]）"
    )
    oidc_issuer: str = Field("", description="令牌的签发方（iss）")
    oidc_audience: str = Field("", description="令牌发给谁（aud）：本服务在签发方的名称")
    oidc_client: str = Field(
        "",
        description="控制台用单位账号登录：本服务在签发方登记的 client_id；须同时设 FENPAI_OIDC_ISSUER、_SCOPES 和 FENPAI_PUBLIC_URL",
    )
    oidc_secret: SecretStr | None = Field(None, description="签发方给本服务的 client_secret；登记为公开客户端的不设")
    public_url: str = Field("", description="办事人员访问本服务的网址，例如 https://fenpai.example.gov.cn；单位账号登录之后转回这里")
    oidc_claim: str = Field("roles", min_length=1, description="令牌里写明角色的一项")
    oidc_scopes: str = Field("", description="角色对应的权限，例如 rexian=hotline,jiaoyu=department:education")
    otel_endpoint: str = Field("", description="OpenTelemetry 收集器，例如 http://收集器:4318/v1/traces；不设则不送（须装 fenpai[otel]）")
    rate: int = Field(12_000, ge=0, description="一把钥匙每分钟最多多少个请求，0 为不限；每个副本各自计数")
    wrong_keys: int = Field(60, ge=1, description="一个地址每分钟至多出示多少次不对的钥匙，再错的不理会；每个副本各自计数")
    max_pollers: int = Field(1_000, ge=0, description="同时等待变更的轮询最多多少个")
    max_register_bytes: int = Field(10_000_000, ge=1_000, le=100_000_000, description="名录文件最多多少字节")

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies(cls, given: str) -> str:
        for part in given.split(",") if given else ():
            if ipaddress.ip_network(part.strip(), strict=False).prefixlen == 0:
                raise ValueError(part)
        return given

    @classmethod
    def from_env(cls, environment: Mapping[str, str], **overrides: object) -> Self:
        """From variables named FENPAI_...; empty ones count as not set. `overrides` come from the command line."""
        found = {name: value for name, value in environment.items() if name.startswith(PREFIX) and name not in NOT_OURS and value}
        given: dict[str, object] = {name.removeprefix(PREFIX).lower(): value for name, value in found.items()}
        given |= {name: value for name, value in overrides.items() if value is not None}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise SettingsInvalid("\n".join(_told(fault["type"], fault["loc"], fault["msg"]) for fault in _faults(error))) from None

    @property
    def folder(self) -> str:
        """The pack by its name or folder: the one that is watched, if one is."""
        return self.rules_dir or self.pack

    @property
    def proxies(self) -> tuple[str, ...]:
        """The addresses and networks of proxies whose word is taken for where a request comes from."""
        return tuple(part.strip() for part in self.trusted_proxies.split(",") if part.strip())

    @property
    def private_targets(self) -> bool:
        """Whether letters may go to addresses inside."""
        return self.allow_private_targets == "yes"

    @property
    def keys(self) -> str | None:
        """The data keys in clear, for the vault only."""
        return self.data_key.get_secret_value() if self.data_key else None


def is_loopback(host: str) -> bool:
    """Whether an address or a name means this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _faults(error: ValidationError) -> list[dict[str, object]]:
    # Without the values: one of them is a key.
    return [dict(fault) for fault in error.errors(include_input=False, include_url=False, include_context=False)]


def _told(kind: object, place: object, message: object) -> str:
    """One mistake, in words that say which variable and what it should be."""
    if not isinstance(place, tuple) or not place:
        return str(message)
    field = str(place[0])
    name = PREFIX + field.upper()
    if kind == "extra_forbidden":
        near = get_close_matches(field, list(Settings.model_fields), n=1)
        return f"没有 {name} 这个设置" + (f"，是不是 {PREFIX}{near[0].upper()}？" if near else "。")
    return f"{name} 的值不对。{Settings.model_fields[field].description}。"
