"""The shape of the file models: which keys may stand where."""

from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from service.rulebook.mistakes import Loc


def keys_of(model: type[BaseModel]) -> list[str]:
    """The keys of a model as they are written in a file."""
    return [field.alias or name for name, field in model.model_fields.items()]


def fields_at(model: type[BaseModel], loc: Loc) -> list[str]:
    """The keys that may stand at the end of a way into a file."""
    kind: Any = model
    for step in loc:
        kind = _inside(kind, step)
    inner = _bare(kind)
    return keys_of(inner) if _is_model(inner) else []


def every_key(model: type[BaseModel]) -> set[str]:
    """The keys of a model and of all models inside it."""
    keys, waiting, done = set[str](), [model], set[type[BaseModel]]()
    while waiting:
        now = waiting.pop()
        if now in done:
            continue
        done.add(now)
        keys.update(keys_of(now))
        waiting += [inner for field in now.model_fields.values() for inner in _models_in(field.annotation)]
    return keys


def _models_in(kind: Any) -> list[type[BaseModel]]:
    if _is_model(kind):
        return [kind]
    return [model for part in get_args(kind) for model in _models_in(part)]


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _inside(kind: Any, step: str | int) -> Any:
    """The type of what stands under a key or number in a value of this type."""
    kind = _bare(kind)
    if _is_model(kind):
        return {field.alias or name: field.annotation for name, field in kind.model_fields.items()}.get(str(step))
    if get_origin(kind) is dict:
        return get_args(kind)[1]
    return get_args(kind)[0] if get_origin(kind) is tuple else None


def _bare(kind: Any) -> Any:
    """A type without its Annotated and without None."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return _bare(next((inner for inner in get_args(kind) if inner is not type(None)), None))
    return kind
