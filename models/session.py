"""Sessions of the console on the wire: how one logs in, and as whom one is known."""

from pydantic import AwareDatetime, BaseModel, Field

from models.complaint import Text, Wire


class SessionIn(Wire):
    """登录."""

    key: Text = Field(min_length=1, max_length=200, description="接口钥匙；只用来登录，不保存")


class SessionTold(BaseModel):
    """以谁的身份在用: told to everybody, also to who is not logged in."""

    signed_in: bool = Field(description="是否已登录（或带着能用的钥匙）")
    open: bool = Field(description="还没有任何钥匙，而且请求来自本机：不必登录，什么都可以做")
    name: str | None = Field(description="钥匙的名称；没有登录为 null")
    scopes: list[str] = Field(description="能做什么；没有登录为空")
    department: str | None = Field(description="属于哪个单位（代码）；不属于单位为 null")
    expires_at: AwareDatetime | None = Field(description="不再操作的话何时自动退出；没有登录或不会失效为 null")
