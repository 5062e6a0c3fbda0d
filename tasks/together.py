"""Ask the database for many threads at once: a round trip and a commit cost the same for one job and for many."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Value = TypeVar("Value")
Answer = TypeVar("Answer")

# Bounds how long the locks of the first are held while the last is served: 15 ms or so.
AT_ONCE = 32


class Call(Generic[Value, Answer]):
    def __init__(self, value: Value) -> None:
        self.value = value
        self.answer: Answer | None = None
        self.is_over = False
        self.wake = threading.Event()  # it is over, or it is its turn to ask


class Together(Generic[Value, Answer]):
    """The first caller asks at once. Those that call in the meantime are asked for together, by the first of them.

    `ask` takes values, and whether it waits for locks, which it does with one value only. It returns as many answers,
    None where there is none. No lock holds up the others, and no error: a call without an answer is then asked
    alone by its caller, and waits.
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
        """Ask for the caller, which is the first that waits, and for those behind it."""
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
