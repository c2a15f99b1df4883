"""The workshop: where slow work on rule sets is done, one piece after another, so that the deciding of cases goes on beside it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from service.engine import Engine
from service.errors import Overloaded

T = TypeVar("T")

MOST_WAITING = 8

KEPT = 2
"""Engines of drafts at hand; each holds a dictionary of its own."""


class Workshop:
    """One bench; whoever finds too many waiting is sent away."""

    def __init__(self) -> None:
        self._bench = ThreadPoolExecutor(1, thread_name_prefix="fenpai-workshop")
        self._waiting = 0
        self._engines: dict[str, Engine] = {}

    async def __call__(self, work: Callable[[], T]) -> T:
        if self._waiting >= MOST_WAITING:
            raise Overloaded("正在检查和测试的规则包太多，请稍后再试。")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._bench, work)
        finally:
            self._waiting -= 1

    def engine(self, digest: str, make: Callable[[], Engine]) -> Engine:
        """The engine of a draft of this content, made where it is not at hand. For work on the bench, where nobody else is."""
        engine = self._engines.pop(digest, None) or make()
        self._engines[digest] = engine
        while len(self._engines) > KEPT:
            del self._engines[next(iter(self._engines))]
        return engine

    def close(self) -> None:
        self._bench.shutdown(cancel_futures=True)
