"""A new provider is one file and one row: here one that answers with the picture itself, as
OpenAI's endpoint does.
"""

import base64
import json
from uuid import UUID

import httpx
import pytest

from tasks.providers.protocol import Done, Pending, Rejected, Throttled, Transient, Unanswered, Unreachable
from tasks.store import Job
from tests.replicate.behaviour import PICTURE
from tests.replicate.conftest import InlineWorker
from tests.support.jobs import Jobs

ROW = """
insert into private.models (id, title, cost, provider, provider_model)
values ('sketch', 'Sketch', 2, 'sketches', 'sketch-v2')
"""


class Sketches:
    charges = True

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def start(self, job: Job) -> Done:
        wish = {"model": job.provider_model, "prompt": job.provider_input["prompt"]}
        try:
            answer = self.client.post("/v1/images/generations", json=wish)
        except httpx.ConnectError as error:
            raise Unreachable from error
        except httpx.HTTPError as error:
            raise Unanswered(repr(error)) from error
        match answer.status_code:
            case 200:
                return Done([[base64.b64decode(picture["b64_json"])] for picture in answer.json()["data"]])
            case 429:
                raise Throttled(float(answer.headers.get("retry-after", 10)))
            case status if status >= 500:
                raise Unanswered(str(status))
        raise Rejected("content_rejected", "The content was rejected. Please try something else.")

    def find(self, job: Job) -> list[str]:
        # it keeps no list: what did not answer is paid for again, once the wait for it is over
        return []

    def check(self, job: Job, ref: str) -> Done | Pending:
        raise Transient("internal", "This never waits.")

    def cancel(self, ref: str) -> None:
        """Nothing runs behind the answer."""


class Endpoint:
    """The answers of the provider in order, and the requests that it received."""

    def __init__(self) -> None:
        self.answers: list[httpx.Response | Exception] = []
        self.asked: list[object] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(json.loads(request.content))
        answer = self.answers.pop(0) if self.answers else picture()
        if isinstance(answer, Exception):
            raise answer
        return answer


def picture() -> httpx.Response:
    return httpx.Response(200, json={"data": [{"b64_json": base64.b64encode(PICTURE).decode()}]})


@pytest.fixture
def endpoint(worker: InlineWorker, jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    from tasks import providers

    endpoint = Endpoint()
    client = httpx.Client(base_url="http://sketches.example", transport=httpx.MockTransport(endpoint))
    monkeypatch.setattr(providers, "named", lambda name: Sketches(client))
    jobs.conn.execute(ROW)
    return endpoint


def sketched(worker: InlineWorker, jobs: Jobs) -> UUID:
    job_id = jobs.enqueue("sketch", prompt="a fox")
    worker.run_once()
    return job_id


def test_its_answer_is_the_users_picture(worker: InlineWorker, jobs: Jobs, endpoint: Endpoint) -> None:
    job_id = sketched(worker, jobs)
    assert jobs.status(job_id) == "succeeded"
    assert endpoint.asked == [{"model": "sketch-v2", "prompt": "a fox"}]
    assert next(iter(worker.stored.values())) == PICTURE


@pytest.mark.parametrize(
    ("answer", "status", "attempt"),
    [
        (httpx.Response(400), "failed", 1),
        (httpx.Response(429), "queued", 0),
        (httpx.Response(500), "waiting", 1),
        (httpx.ReadTimeout("silence"), "waiting", 1),
        (httpx.ConnectError("refused"), "queued", 0),
    ],
)
def test_the_error_of_a_provider_decides_how_the_job_goes_on(
    worker: InlineWorker,
    jobs: Jobs,
    endpoint: Endpoint,
    answer: httpx.Response | Exception,
    status: str,
    attempt: int,
) -> None:
    endpoint.answers.append(answer)
    job_id = sketched(worker, jobs)
    assert (jobs.status(job_id), jobs.get(job_id)["attempt"]) == (status, attempt)


def test_it_is_not_called_again_before_the_first_call_is_over_for_certain(
    worker: InlineWorker, jobs: Jobs, endpoint: Endpoint
) -> None:
    endpoint.answers.append(httpx.ReadTimeout("silence"))
    job_id = sketched(worker, jobs)
    jobs.move(job_id, run_at="null")
    worker.run_once()
    assert len(endpoint.asked) == 1
    worker.age(job_id, 91)
    assert worker.run_to_the_end(job_id) == "succeeded"
    assert len(endpoint.asked) == 2
