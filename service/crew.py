"""The crew: processes that share the judging of many texts, each with its own engines; answers come in the order of the portions."""

import gc
import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from itertools import chain, islice
from multiprocessing.connection import Connection
from typing import Any, TypeVar

Who = TypeVar("Who")
Portion = TypeVar("Portion")
Found = TypeVar("Found")

FEW = 4
"""So few portions are done here where no process can fork: others would take longer to start."""


def cores() -> int:
    """The cores that this process may use; a container often has fewer than the machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def share(
    task: Callable[[Who, Portion], Found],
    portions: Iterable[Portion],
    who: Who,
    anew: Callable[[], Who],
    processes: int = 0,
    *,
    fork: bool = True,
) -> Iterator[Found]:
    """What the task finds in each portion, on so many processes (0: all cores), each with `who`, or where it cannot fork with `anew()`.

    Forks share what is compiled and start in milliseconds; but a fork copies no threads, so only a process without any may `fork`: the
    executor forks all of them at the first portion, before it starts its own thread, and an engine holds none. On macOS and Windows, and
    beside the threads of a server, each process makes its own.
    """
    fork = fork and sys.platform == "linux"
    few, processes, rest = 2 if fork else FEW, processes or cores(), iter(portions)
    ahead = list(islice(rest, few))
    if processes == 1 or len(ahead) < few:
        yield from (task(who, portion) for portion in chain(ahead, rest))
        return
    with _pool(who, anew, processes, fork=fork) as pool:
        waiting: deque[Future[Found]] = deque()
        try:
            for portion in chain(ahead, rest):
                waiting.append(pool.submit(_do, task, portion))
                if len(waiting) > processes * 3:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BaseException:  # whoever asked has gone: nobody waits for what is left
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@contextmanager
def aside(task: Callable[[], Found]) -> Iterator[Callable[[], Found]]:
    """Let another process do a task meanwhile; what is yielded waits for what it finds. Where none can fork, it is done when it is asked.

    No thread of ours runs beside it, so that whoever asked may fork afterwards.
    """
    if sys.platform != "linux" or cores() == 1:
        yield task
        return
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_aside, args=(task, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        with ours:
            yield lambda: _awaited(ours, task)
    finally:
        process.terminate()
        process.join()


def _aside(task: Callable[[], Any], theirs: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(Exception):  # whatever it is, it comes again where it can be told
        theirs.send(task())


def _awaited(ours: Connection, task: Callable[[], Found]) -> Found:
    try:
        found: Found = ours.recv()
    except EOFError:
        return task()
    return found


def _pool(who: Who, anew: Callable[[], Who], processes: int, *, fork: bool) -> ProcessPoolExecutor:
    if not fork:
        return ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), _settle_anew, (anew,))
    gc.freeze()
    return ProcessPoolExecutor(processes, multiprocessing.get_context("fork"), _settle, (who,))


class _Here:
    """Who judges in this process."""

    who: Any


def _settle(who: Any) -> None:
    # Ctrl-C reaches every process of the terminal; the one that began ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _Here.who = who


def _settle_anew(anew: Callable[[], Any]) -> None:
    _settle(anew())


def _do(task: Callable[[Any, Any], Any], portion: Any) -> Any:
    return task(_Here.who, portion)
