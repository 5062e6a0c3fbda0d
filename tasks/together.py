"""Combine the queries of many threads into one.

A round trip and a commit cost the same for one job and for many.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Value = TypeVar("Value")
Answer = TypeVar("Answer")

# The most values in one query. The first job stays locked until the last is done: about 15 ms.
AT_ONCE = 32


class Call(Generic[Value, Answer]):
    def __init__(self, value: Value) -> None:
        self.value = value
        self.answer: Answer | None = None
        self.is_over = False
        self.wake = threading.Event()  # set when the call is over, or is the next to query


class Together(Generic[Value, Answer]):
    """Batches the calls of threads.

    The first caller queries at once. Calls that arrive during its query form the next batch, which
    the first of these callers sends.

    `ask` takes the values, and whether it waits for locks; it waits only for a single value. It
    returns one answer for each value, or None. Neither a lock nor an error of one call delays the
    others: a caller without an answer queries again alone, and waits for the lock.
    """

    def __init__(self, ask: Callable[[Sequence[Value], bool], Sequence[Answer | None]]) -> None:
        self.ask = ask
        self.lock = threading.Lock()
        self.waiting: deque[Call[Value, Answer]] = deque()
        self.is_asking = False

    def __call__(self, value: Value) -> Answer | None:
        call = Call[Value, Answer](value)
        with self.lock:
            self.waiting.append(call)
            is_first, self.is_asking = not self.is_asking, True
        if not is_first:
            call.wake.wait()
        if not call.is_over:
            self.ask_for_all()
        if call.answer is None:
            (call.answer,) = self.ask([value], True)
        return call.answer

    def ask_for_all(self) -> None:
        """Query for the caller, which is the first in the line, and for the calls behind it."""
        with self.lock:
            calls = [self.waiting.popleft() for _ in range(min(len(self.waiting), AT_ONCE))]
        try:
            answers = self.ask([call.value for call in calls], False)
            for call, answer in zip(calls, answers, strict=True):
                call.answer = answer
        except Exception:
            if len(calls) == 1:
                raise
        finally:
            for call in calls:
                call.is_over = True
                call.wake.set()
            with self.lock:
                self.is_asking = bool(self.waiting)
                if self.waiting:
                    self.waiting[0].wake.set()
