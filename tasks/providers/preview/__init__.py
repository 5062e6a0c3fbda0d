"""The embedded provider: makes real pictures, videos and texts on this machine, the same for the
same prompt.

It also plays a slow or strict model: a prompt with the word "forbidden" is rejected, and
`"seconds": n` in the input makes it work for that long, with progress, without a worker slot. The
inputs of its models, `input_schema` says: the database has checked the input before a job exists.
"""

import io
import time
from typing import Any

from PIL import Image

from tasks import inputs
from tasks.providers.preview import painting, photo, poem, scene, video
from tasks.providers.protocol import Done, Pending, Permanent, Started
from tasks.store import Job

LOOKS = 12  # at a job while it works: so often its progress moves
SHORTEST_LOOK, LONGEST_LOOK = 1.0, 3.0  # seconds; a person sees it move
KINDS = ("picture", "video", "text")


class Preview:
    charges = False

    def start(self, job: Job) -> Done | Started:
        if "forbidden" in prompt_of(job).lower().split():
            raise Permanent("content_rejected", "This prompt is not allowed.")
        if seconds := float(job.provider_input.get("seconds", 0)):
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


def make(job: Job) -> Done:
    prompt, count = prompt_of(job), job.provider_input.get("num_outputs", 1)
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
    if job.provider_input.get("image") is not None:
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
    if kind not in KINDS:
        raise Permanent("internal", "This model is not available.")
    return kind


def prompt_of(job: Job) -> str:
    return str(job.provider_input["prompt"])
