"""Ten models as Replicate describes them: schemas in every form that cog has written, official
models and others.
"""

from typing import Any

Json = dict[str, Any]

URI: Json = {"type": "string", "format": "uri"}
URIS: Json = {"type": "array", "items": URI}
WORDS: Json = {
    "type": "array",
    "items": {"type": "string"},
    "x-cog-array-type": "iterator",
    "x-cog-array-display": "concatenate",
}
SECRET: Json = {"type": "string", "format": "password", "writeOnly": True, "x-cog-secret": True}
VERSION = "39ed52f2a78e934b3ba6e2a89f5b1c712de7dfea535525255b1aa35c5565e08b"


def string(**more: Any) -> Json:
    return {"type": "string", **more}


def integer(low: int | None = None, high: int | None = None, **more: Any) -> Json:
    bounds = {"minimum": low, "maximum": high}
    return {"type": "integer", **{key: value for key, value in bounds.items() if value is not None}, **more}


def number(low: float, high: float, **more: Any) -> Json:
    return {"type": "number", "minimum": low, "maximum": high, **more}


def choice(*values: Any, default: Any = None) -> Json:
    """As `choices=` is written: the type stands behind a reference."""
    return {"choices": values, "default": default}


def boolean(default: bool = False) -> Json:
    return {"type": "boolean", "default": default}


def model(
    name: str,
    fields: dict[str, Json],
    output: Json,
    *,
    required: list[str] | None = None,
    example: Any = None,
    is_official: bool = True,
    description: str | None = None,
) -> Json:
    """The fields come in their order and are given in the opposite one, as a dictionary may be."""
    owner, _, short = name.partition("/")
    schemas: Json = {"Output": {"title": "Output", **output}}
    properties: Json = {}
    for place, (key, field) in reversed(list(enumerate(fields.items()))):
        about = {"title": key.replace("_", " ").title(), "description": f"What {key} is.", "x-order": place}
        if "choices" in field:
            kind = "integer" if isinstance(field["choices"][0], int) else "string"
            schemas[key] = {
                "title": key,
                "type": kind,
                "enum": list(field["choices"]),
                "description": "An enumeration.",
            }
            field = {"allOf": [{"$ref": f"#/components/schemas/{key}"}], "default": field["default"]}
        properties[key] = about | field
    form: Json = {"type": "object", "title": "Input", "properties": properties}
    schemas["Input"] = form | ({"required": required} if required else {})
    return {
        "url": f"https://replicate.com/{name}",
        "owner": owner,
        "name": short,
        "description": description,
        "visibility": "public",
        "is_official": is_official,
        "run_count": 1,
        "cover_image_url": None,
        "default_example": {"id": "x", "status": "succeeded", "output": example} if example else None,
        "latest_version": {
            "id": VERSION,
            "created_at": "2026-08-01T10:00:00.000000Z",
            "cog_version": "0.16.0",
            "openapi_schema": {"openapi": "3.0.2", "components": {"schemas": schemas}},
        },
    }


MODELS = [
    model(
        "black-forest-labs/flux-schnell",
        {
            "prompt": string(),
            "aspect_ratio": choice(
                "1:1", "16:9", "21:9", "3:2", "2:3", "4:5", "5:4", "3:4", "4:3", "9:16", "9:21", default="1:1"
            ),
            "num_outputs": integer(1, 4, default=1),
            "num_inference_steps": integer(1, 4, default=4),
            "seed": integer(nullable=True),
            "output_format": choice("webp", "jpg", "png", default="webp"),
            "output_quality": integer(0, 100, default=80),
            "disable_safety_checker": boolean(),
            "go_fast": boolean(True),
            "megapixels": choice("1", "0.25", default="1"),
        },
        URIS,
        required=["prompt"],
        example=["https://replicate.delivery/x/out-0.webp"],
    ),
    model(
        "black-forest-labs/flux-kontext-pro",
        {
            "prompt": string(),
            "input_image": {**URI, "nullable": True},
            "aspect_ratio": choice("match_input_image", "1:1", "16:9", default="match_input_image"),
            "seed": integer(nullable=True),
            "output_format": choice("jpg", "png", default="png"),
            "safety_tolerance": integer(0, 6, default=2),
            "prompt_upsampling": boolean(),
        },
        URI,
        required=["prompt"],
        example="https://replicate.delivery/x/tmp.png",
    ),
    model(
        "google/nano-banana-2",
        {
            "prompt": string(),
            "image_input": {**URIS, "default": [], "maxItems": 14},
            "aspect_ratio": choice("match_input_image", "1:1", "16:9", default="match_input_image"),
            "output_format": choice("jpg", "png", default="jpg"),
        },
        URI,
        required=["prompt"],
        example="https://replicate.delivery/x/tmp.jpeg",
    ),
    model(
        "openai/gpt-image-1",
        {
            "openai_api_key": SECRET,
            "prompt": string(),
            "aspect_ratio": {"type": "string", "enum": ["1:1", "3:2", "2:3"], "default": "1:1"},
            "input_images": {"anyOf": [URIS, {"type": "null"}]},
            "number_of_images": integer(1, 10, default=1),
            "quality": choice("low", "medium", "high", "auto", default="auto"),
            "output_compression": integer(0, 100, default=90),
            "moderation": choice("auto", "low", default="auto"),
            "user_id": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
        URIS,
        required=["openai_api_key", "prompt"],
        example=["https://replicate.delivery/x/0.webp"],
    ),
    model(
        "nightmareai/real-esrgan",
        {"image": URI, "scale": number(0, 10, default=4), "face_enhance": boolean()},
        URI,
        required=["image"],
        is_official=False,
        description="Real-ESRGAN with optional face correction and adjustable upscale",
    ),
    model(
        "stability-ai/sdxl",
        {
            "prompt": string(default="An astronaut riding a rainbow unicorn"),
            "negative_prompt": string(default=""),
            "image": URI,
            "mask": URI,
            "width": integer(default=1024),
            "scheduler": choice("DDIM", "K_EULER", default="K_EULER"),
            "guidance_scale": number(1, 50, default=7.5),
            "lora_scale": number(0, 1, default=0.6),
            "replicate_weights": string(nullable=True),
            "disable_safety_checker": boolean(),
        },
        URIS,
        is_official=False,
        example=["https://replicate.delivery/x/out-0.png"],
    ),
    model(
        "google/veo-3.1",
        {
            "prompt": string(),
            "aspect_ratio": choice("16:9", "9:16", default="16:9"),
            "duration": choice(4, 6, 8, default=8),
            "image": {**URI, "nullable": True},
            "last_frame": {**URI, "nullable": True},
            "reference_images": URIS,
            "negative_prompt": string(nullable=True),
            "generate_audio": boolean(True),
            "seed": integer(nullable=True),
        },
        URI,
        required=["prompt"],
        example="https://replicate.delivery/x/output.mp4",
    ),
    model(
        "minimax/speech-02-turbo",
        {
            "text": string(maxLength=10_000),
            "voice_id": string(default="Wise_Woman"),
            "speed": number(0.5, 2, default=1),
            "pitch": integer(-12, 12, default=0),
            "emotion": choice("auto", "happy", "sad", default="auto"),
            "audio_format": choice("mp3", "wav", "flac", "pcm", default="mp3"),
            "channel": choice("mono", "stereo", default="mono"),
        },
        URI,
        required=["text"],
        description="Text to speech in many voices",
    ),
    model(
        "meta/musicgen",
        {
            "model_version": choice("stereo-melody-large", "stereo-large", default="stereo-melody-large"),
            "prompt": string(nullable=True),
            "input_audio": {**URI, "nullable": True},
            "duration": integer(default=8),
            "temperature": {"type": "number", "default": 1.0},
            "output_format": choice("wav", "mp3", default="wav"),
        },
        URI,
        is_official=False,
        example="https://replicate.delivery/x/out.wav",
    ),
    model(
        "openai/o4-mini",
        {
            "prompt": string(nullable=True),
            "messages": {"type": "array", "items": {"type": "object"}, "default": []},
            "system_prompt": string(nullable=True),
            "image_input": {**URIS, "default": []},
            "reasoning_effort": choice("low", "medium", "high", default="medium"),
            "max_completion_tokens": integer(default=4096),
        },
        WORDS,
        example=["Hello", " there"],
    ),
]
