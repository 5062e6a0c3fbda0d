"""The embedded provider: makes real pictures, videos and texts on this machine, the same for the same prompt.

It also plays what a slow or strict model does to an app: a prompt with the word "forbidden" is rejected, and
`"seconds": n` in the input makes it work for that long, with progress, without holding a worker.
"""

import io
import time
from typing import Any

from PIL import Image

from tasks import inputs
from tasks.providers.preview import painting, photo, poem, scene, video
from tasks.providers.protocol import Done, Pending, Permanent, Started
from tasks.store import Job

LONGEST = 600.0  # seconds
MOST_OUTPUTS = 4
LOOKS = 12  # at a job while it works: so often its progress moves
SHORTEST_LOOK, LONGEST_LOOK = 1.0, 3.0  # seconds; a person sees it move
TAKES = {
    "picture": {"prompt", "seconds", "image", "num_outputs"},
    "video": {"prompt", "seconds", "image"},
    "text": {"prompt", "seconds", "num_outputs"},
}


class Preview:
    charges = False

    def start(self, job: Job) -> Done | Started:
        if "forbidden" in prompt_of(job).lower().split():
            raise Permanent("content_rejected", "This prompt is not allowed.")
        refuse_unknown_keys(job)
        count_of(job)
        if seconds := seconds_of(job):
            now = time.time()
            return Started(f"preview:{job.id}:{now}:{now + seconds}", check_in(seconds, seconds))
        return make(job)

    def find(self, job: Job) -> list[str]:
        return []

    def check(self, job: Job, ref: str) -> Done | Pending:
        begun, due = (float(part) for part in ref.split(":")[2:])
        left = due - time.time()
        if left <= 0:
            return make(job)
        return Pending(check_in(due - begun, left), progress=min(1.0, max(0.0, 1 - left / (due - begun))))

    def cancel(self, ref: str) -> None:
        """Nothing runs anywhere."""


def given(job: Job) -> dict[str, Any]:
    """What the job asks for, the model's defaults included."""
    return job.provider_input


def make(job: Job) -> Done:
    prompt, count = prompt_of(job), count_of(job)
    made: list[Any]  # files, or texts
    match kind_of(job):
        case "video":
            made = [[video.film(still(job, 0), scene.read(prompt, 0))]]
        case "text":
            made = [poem.write(prompt, number) for number in range(count)]
        case _:
            made = [[file_of(still(job, number))] for number in range(count)]
    return Done(made)


def still(job: Job, number: int) -> Image.Image:
    """The picture of one output: a landscape, or the user's photo as a painting."""
    view = scene.read(prompt_of(job), number)
    if given(job).get("image") is not None:
        return photo.paint(photo.load(inputs.of(job)["image"]), view)
    return painting.paint(view)


def paint(prompt: str) -> bytes:
    """A JPEG, deterministic from the prompt."""
    return file_of(painting.paint(scene.read(prompt, 0)))


def file_of(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=90)
    return file.getvalue()


def check_in(seconds: float, left: float) -> float:
    return min(left, max(SHORTEST_LOOK, min(LONGEST_LOOK, seconds / LOOKS)))


def kind_of(job: Job) -> str:
    kind = job.provider_model or "picture"
    if kind not in TAKES:
        raise Permanent("internal", "This model is not available.")
    return kind


def refuse_unknown_keys(job: Job) -> None:
    if unknown := sorted(set(given(job)) - TAKES[kind_of(job)]):
        raise Permanent("invalid_input", f"This model does not take {', '.join(unknown)[:100]}.")


def prompt_of(job: Job) -> str:
    prompt = given(job).get("prompt")
    if not isinstance(prompt, str) or not prompt.strip():
        raise Permanent("invalid_input", "Write a prompt.")
    return prompt


def seconds_of(job: Job) -> float:
    seconds = given(job).get("seconds", 0)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= LONGEST:
        raise Permanent("invalid_input", f"`seconds` is a number from 0 to {LONGEST:.0f}.")
    return float(seconds)


def count_of(job: Job) -> int:
    count = given(job).get("num_outputs", 1)
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST_OUTPUTS:
        raise Permanent("invalid_input", f"`num_outputs` is a whole number from 1 to {MOST_OUTPUTS}.")
    return count
