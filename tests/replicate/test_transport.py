"""The replicate package with answers that its authors did not foresee."""

from typing import Any

import pytest
from replicate.prediction import Prediction

from tasks.providers.replicate_transport import readable

PLAIN = {
    "id": "p1",
    "model": "foxes/fox",
    "version": "v1",
    "status": "starting",
    "input": {"prompt": "a fox"},
}


def read(**changes: Any) -> Prediction:
    return Prediction(**readable(PLAIN | changes))


def test_an_aborted_prediction_reads_as_canceled_before_it_began() -> None:
    prediction = read(status="aborted", started_at="2026-11-23T10:00:00Z")
    assert (prediction.status, prediction.started_at) == ("canceled", None)


def test_a_status_of_tomorrow_is_looked_at_again() -> None:
    assert read(status="hibernating").status == "processing"


@pytest.mark.parametrize(
    "changes",
    [
        {"version": None},
        {"version": "hidden", "model": None},
        {"error": {"code": 7, "detail": "no"}},
        {"input": None},
        {"input": ["a fox"]},
        {"logs": None},
        {"logs": ["a", "b"]},
        {"urls": {"get": None, "cancel": None}},
        {"metrics": None, "data_removed": True, "source": "api", "something": {"new": True}},
        {"output": {"image": None}},
    ],
)
def test_no_other_field_can_hide_the_reference(changes: dict[str, Any]) -> None:
    assert read(**changes).id == "p1"


def test_every_prediction_of_a_list_is_read_the_same_way() -> None:
    page = readable({"previous": None, "next": None, "results": [PLAIN | {"status": "aborted"}, PLAIN]})
    assert [each["status"] for each in page["results"]] == ["canceled", "starting"]
