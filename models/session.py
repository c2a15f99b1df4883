"""Sessions of the console on the wire: how one logs in, and as whom one is known."""

from pydantic import AwareDatetime, BaseModel, Field

from models.complaint import Text, Wire


class SessionIn(Wire):
    """登录."""

    key: Text = Field(min_length=1, max_length=200, description="接口钥匙；只用来登录，不保存")


class SignOnIn(Wire):
    """用单位账号登录."""

    back_to: Text = Field(
        "/console/",
        max_length=500,
        pattern=r"^/console(/[A-Za-z0-9._~%/?&=:+,@-]*)?$",
        description="登录之后回到控制台的哪一页；只能是本服务 /console 下的地址",
    )


class SignOnTold(BaseModel):
    """去哪里登录."""

    location: str = Field(description="统一身份认证的登录页；请让浏览器转到那里。登录之后它会转回本服务")


class SessionTold(BaseModel):
    """以谁的身份在用: told to everybody, also to who is not logged in."""

    signed_in: bool = Field(description="是否已登录（或带着能用的钥匙）")
    open: bool = Field(description="还没有任何钥匙，而且请求来自本机：不必登录，什么都可以做")
    name: str | None = Field(description="钥匙的名称；没有登录为 null")
    scopes: list[str] = Field(description="能做什么；没有登录为空")
    department: str | None = Field(description="属于哪个单位（代码）；不属于单位为 null")
    sign_on: bool = Field(description="能否用单位账号（统一身份认证）登录")
    expires_at: AwareDatetime | None = Field(description="不再操作的话何时自动退出；没有登录或不会失效为 null")
