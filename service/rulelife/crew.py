"""The crew: processes that share the replaying of many cases, each with both engines; answers come in the order of the portions."""

import gc
import multiprocessing
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import chain, islice
from typing import Any, TypeVar

from models.ruleset import RuleSet
from service.engine import Engine

Pair = tuple[Engine, Engine]
Portion = TypeVar("Portion")
Found = TypeVar("Found")
Task = Callable[[Engine, Engine, Portion], Found]

FEW = 4
"""So few portions are done here: other processes would take longer to start."""


def work(task: Task[Portion, Found], portions: Iterable[Portion], pair: Pair, processes: int, *, fork: bool) -> Iterator[Found]:
    """What the task finds in each portion. Only a process without threads may `fork`; a server's helpers compile their own engines."""
    rest = iter(portions)
    ahead = list(islice(rest, FEW if not fork else 2))
    if processes == 1 or len(ahead) < (FEW if not fork else 2):
        for portion in chain(ahead, rest):
            yield task(*pair, portion)
        return
    with _pool(pair, processes, fork=fork and sys.platform == "linux") as pool:
        waiting: deque[Future[Found]] = deque()
        try:
            for portion in chain(ahead, rest):
                waiting.append(pool.submit(_do, task, portion))
                if len(waiting) > processes * 3:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _pool(pair: Pair, processes: int, *, fork: bool) -> ProcessPoolExecutor:
    """As in service/batch.py: forks share the compiled engines and start in milliseconds; elsewhere each compiles its own."""
    if not fork:
        rulesets = pair[0].ruleset, pair[1].ruleset
        return ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), _settle, rulesets)
    gc.freeze()
    return ProcessPoolExecutor(processes, multiprocessing.get_context("fork"), _settle, pair)


class _Here:
    """The engines of this process."""

    pair: Pair


def _settle(before: Engine | RuleSet, after: Engine | RuleSet) -> None:
    # Ctrl-C reaches every process of the terminal; the one that began ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _Here.pair = _engine(before), _engine(after)


def _engine(given: Engine | RuleSet) -> Engine:
    return given if isinstance(given, Engine) else Engine(given)


def _do(task: Task[Any, Any], portion: Any) -> Any:
    return task(*_Here.pair, portion)
