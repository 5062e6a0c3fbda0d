"""A short mp4: the picture comes slowly nearer, while snow, rain or small lights move over it.

It needs PyAV, the optional extra `media`, which is imported here alone, for a video.
"""

import io
import logging
import math
from types import ModuleType

from PIL import Image, ImageDraw

from tasks.providers.preview.scene import Scene
from tasks.providers.protocol import Permanent

log = logging.getLogger("tasks")

VIDEO_SECONDS, RATE = 2.5, 24
LONGEST_SIDE = 512  # pixels
NEARER = 0.14  # how much of the picture's width has left the frame at the end


def film(picture: Image.Image, scene: Scene) -> bytes:
    av = pyav()
    file, size = io.BytesIO(), size_of(picture)
    sparks = [(scene.dice.random(), scene.dice.random(), scene.dice.uniform(0.4, 1)) for _ in range(60)]
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "23", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        # the same bytes each time, and no core but this worker's
        stream.codec_context.thread_count = 1
        for number in range(int(VIDEO_SECONDS * RATE)):
            frame = frame_of(picture, number / (VIDEO_SECONDS * RATE), size)
            drift(frame, scene, sparks, number / RATE)
            container.mux(stream.encode(av.VideoFrame.from_image(frame)))
        container.mux(stream.encode())
    return file.getvalue()


def pyav() -> ModuleType:
    try:
        import av
    except ImportError as error:
        log.error("media.missing", extra={"cure": "install the extra media: pip install 'av>=18,<19'"})
        raise Permanent("internal", "This model is not available.") from error
    return av


def size_of(picture: Image.Image) -> tuple[int, int]:
    """Even numbers, which the codec needs."""
    scale = LONGEST_SIDE / max(picture.size)
    width, height = (max(2, round(side * scale / 2) * 2) for side in picture.size)
    return width, height


def frame_of(picture: Image.Image, time: float, size: tuple[int, int]) -> Image.Image:
    """The picture at a time from 0 to 1: first slowly, then faster, then slowly."""
    cut = NEARER / 2 * (1 - math.cos(math.pi * time)) / 2
    width, height = picture.size
    box = (width * cut, height * cut, width * (1 - cut), height * (1 - cut))
    return picture.resize(size, Image.Resampling.BICUBIC, box=box)


def drift(frame: Image.Image, scene: Scene, sparks: list[tuple[float, float, float]], seconds: float) -> None:
    """Snow falls, rain falls fast, and in any other scene motes of light rise."""
    draw = ImageDraw.Draw(frame, "RGBA")
    speed = 0.12 if "snowfall" in scene.parts else 0.9 if "rain" in scene.parts else -0.05
    for x, y, size in sparks:
        left = frame.width * (x + 0.012 * math.sin(seconds * 2 + x * 40))
        top = frame.height * ((y + seconds * speed * size) % 1)
        tall = 14 * size if speed > 0.5 else 2.6 * size
        wide = 0.6 if speed > 0.5 else 2.6 * size
        draw.ellipse(
            (left - wide / 2, top - tall, left + wide / 2, top), fill=(*scene.palette.light, int(150 * size))
        )
