"""Calls of many threads are asked together, and each gets its own answer."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tasks.together import QUESTIONS_AT_ONCE, Together
from tests.support.waiting import wait_until

CALLS = QUESTIONS_AT_ONCE + 8


class DatabaseDouble:
    """Answers with the double; it answers the first question when it is released."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.released = threading.Event()

    def __call__(self, values: Sequence[int], waits: bool) -> list[int | None]:
        assert not waits or len(values) == 1
        self.asked.append(list(values))
        if len(self.asked) == 1:
            assert self.released.wait(20)
        if len(values) > 1 and 13 in values:
            raise ValueError(13)
        return [None if (value == 7 and not waits) or value < 0 else value * 2 for value in values]


def calls(database: DatabaseDouble, values: Sequence[int]) -> list["Future[int | None]"]:
    """The first query runs alone while the other questions arrive."""
    together = Together(database)
    with ThreadPoolExecutor(CALLS) as threads:
        made = [threads.submit(together, values[0])]
        wait_until(lambda: database.asked, "the first to ask")
        made += [threads.submit(together, value) for value in values[1:]]
        wait_until(lambda: len(together.waiting) == len(values) - 1, "the others to wait")
        database.released.set()
    assert not together.is_asking
    return made


def test_the_first_asks_at_once_and_the_others_are_asked_for_together() -> None:
    database = DatabaseDouble()
    made = calls(database, [100 + number for number in range(CALLS)])
    assert [call.result() for call in made] == [200 + 2 * number for number in range(CALLS)]
    assert [len(values) for values in database.asked] == [1, QUESTIONS_AT_ONCE, CALLS - 1 - QUESTIONS_AT_ONCE]


def test_a_locked_value_is_asked_alone_and_may_have_no_answer() -> None:
    made = calls(database := DatabaseDouble(), [1, 7, -1, 2])
    assert [call.result() for call in made] == [2, 14, None, 4]
    assert len(database.asked[1]) == 3
    assert sorted(database.asked[2:]) == [[-1], [7]]


def test_one_that_fails_harms_no_other() -> None:
    made = calls(database := DatabaseDouble(), [1, 13, 2])
    assert [call.result() for call in made] == [2, 26, 4]
    assert sorted(database.asked[2:]) == [[2], [13]]


def test_an_error_of_one_alone_is_that_callers() -> None:
    def fail(values: Sequence[int], waits: bool) -> list[int | None]:
        raise ValueError(values[0])

    together = Together(fail)
    for value in (1, 2):
        with pytest.raises(ValueError, match=str(value)):
            together(value)
