"""What every part of a pack is made of: strict models, and the kinds of text that stand in them."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

ClauseId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")]
Label = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Prose = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class Strict(BaseModel):
    """Base of every part of a pack: unknown keys are mistakes, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)
