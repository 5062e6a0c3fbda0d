"""Ask the database for many threads at once: one round trip and one commit serve many jobs."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Value = TypeVar("Value")
Answer = TypeVar("Answer")

# Bounds how long the locks of the first are held while the last is served: 15 ms or so.
QUESTIONS_AT_ONCE = 32


class Question(Generic[Value, Answer]):
    def __init__(self, value: Value) -> None:
        self.value = value
        self.answer: Answer | None = None
        self.is_over = False
        self.wake = threading.Event()  # it is over, or it is its turn to ask


class Together(Generic[Value, Answer]):
    """The first caller asks at once.

    Those that call in the meantime are asked for together, by the first of them.

    `ask` takes values, and whether it waits for locks, which it does with one value only. It
    returns as many answers, None where there is none. No lock holds up the others, and no error: a
    question without an answer is then asked alone by its caller, and waits.
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
        """Ask for the caller, which is the first that waits, and for those behind it."""
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
