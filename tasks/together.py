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
QUESTIONS_AT_ONCE = 32


class Question(Generic[Value, Answer]):
    def __init__(self, value: Value) -> None:
        self.value = value
        self.answer: Answer | None = None
        self.is_over = False
        self.wake = threading.Event()  # set when the question is over, or is the next to query


class Together(Generic[Value, Answer]):
    """Batches the questions of threads.

    The first caller queries at once. Calls that arrive during its query form the next batch, which
    the first of these callers sends.

    `ask` takes the values, and whether it waits for locks; it waits only for a single value. It
    returns one answer for each value, or None. Neither a lock nor an error of one question delays
    the others: a caller without an answer queries again alone, and waits for the lock.
    """

    def __init__(self, ask: Callable[[Sequence[Value], bool], Sequence[Answer | None]]) -> None:
        self.ask = ask
        self.lock = threading.Lock()
        self.waiting: deque[Question[Value, Answer]] = deque()
        self.is_asking = False

    def __call__(self, value: Value) -> Answer | None:
        question = Question[Value, Answer](value)
        with self.lock:
            self.waiting.append(question)
            is_first, self.is_asking = not self.is_asking, True
        if not is_first:
            question.wake.wait()
        if not question.is_over:
            self.ask_for_all()
        if question.answer is None:
            (question.answer,) = self.ask([value], True)
        return question.answer

    def ask_for_all(self) -> None:
        """Query for the caller, which is the first in the line, and for the questions behind it."""
        with self.lock:
            questions = [self.waiting.popleft() for _ in range(min(len(self.waiting), QUESTIONS_AT_ONCE))]
        try:
            answers = self.ask([question.value for question in questions], False)
            for question, answer in zip(questions, answers, strict=True):
                question.answer = answer
        except Exception:
            if len(questions) == 1:
                raise
        finally:
            for question in questions:
                question.is_over = True
                question.wake.set()
            with self.lock:
                self.is_asking = bool(self.waiting)
                if self.waiting:
                    self.waiting[0].wake.set()
