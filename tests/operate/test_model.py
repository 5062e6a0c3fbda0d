"""`make model`, as an operator runs it."""

import json
from dataclasses import dataclass
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.operate.conftest import Run
from tests.replicate.behaviour import ErrorResponse
from tests.replicate.models import SECRET, URI, URIS, VERSION, string
from tests.replicate.models import model as described
from tests.replicate.server import MisbehavingReplicate
from tests.support.jobs import Jobs
from tests.support.processes import ROOT

FLUX = "black-forest-labs/flux-schnell"
HOSTILE = "'; drop table private.models; -- $$ $x$ \\' \" \0 \n\x1b[2J :name \u202e \ud800 ü 🦊"


# Columns that this statement needs, wherever the migrations do not bring them.
class Models:
    """The effect of the statement on a database."""

    def __init__(self, jobs: Jobs) -> None:
        self.conn = jobs.conn

    def apply(self, sql: str) -> list[str]:
        return [str(row[0]) for row in self.conn.execute(sql.encode()).fetchall()]

    def row(self, model_id: str) -> dict[str, Any]:
        found = self.conn.execute(
            "select to_jsonb(m) from private.models m where id = %s", (model_id,)
        ).fetchone()
        assert found is not None
        return dict(found[0])


@pytest.fixture
def models(jobs: Jobs) -> Models:
    return Models(jobs)


def line(made: CompletedProcess[str]) -> str:
    """The one line that names the error."""
    assert made.returncode != 0
    assert made.stdout == ""
    lines = [each for each in made.stderr.splitlines() if not each.startswith("make: ")]
    assert len(lines) == 1, made.stderr
    return lines[0]


def properties(row: dict[str, Any]) -> set[str]:
    return set(row["input_schema"]["properties"])


@dataclass(frozen=True)
class Expected:
    """Parts of a row: fields that users may choose, and fields that were left out, in words."""

    kept: str
    left: str = ""
    kind: str = "image"
    images: str = ""
    required: str = "prompt"
    has_version: bool = False


EXPECTED = {
    FLUX: Expected("prompt aspect_ratio num_outputs seed go_fast", "disable_safety_checker"),
    "black-forest-labs/flux-kontext-pro": Expected(
        "input_image seed", "safety_tolerance", images="input_image"
    ),
    "google/nano-banana-2": Expected("image_input output_format", images="image_input"),
    "openai/gpt-image-1": Expected(
        "input_images user_id quality", "openai_api_key moderation", images="input_images"
    ),
    "nightmareai/real-esrgan": Expected(
        "image scale face_enhance", images="image", required="image", has_version=True
    ),
    "stability-ai/sdxl": Expected(
        "prompt image mask scheduler replicate_weights",
        "disable_safety_checker",
        images="image,mask",
        required="",
        has_version=True,
    ),
    "google/veo-3.1": Expected(
        "image generate_audio duration", "last_frame reference_images", kind="video", images="image"
    ),
    "minimax/speech-02-turbo": Expected("text speed pitch emotion", kind="audio", required="text"),
    "meta/musicgen": Expected(
        "prompt model_version temperature", "input_audio", kind="audio", required="", has_version=True
    ),
    "openai/o4-mini": Expected("prompt reasoning_effort", "messages image_input", kind="text", required=""),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_model_becomes_a_row(name: str, make: Run, models: Models) -> None:
    expected = EXPECTED[name]
    made = make("model", NAME=name, COST="3", IMAGES=expected.images)
    assert made.returncode == 0, made.stderr
    (model_id,) = models.apply(made.stdout)
    row = models.row(model_id)
    assert (row["kind"], row["cost"], row["provider"]) == (expected.kind, 3, "replicate")
    assert row["provider_model"] == (f"{name}:{VERSION}" if expected.has_version else name)
    assert row["input_schema"]["type"] == "object"
    assert row["input_schema"]["required"] == expected.required.split()
    assert set(expected.kept.split()) <= properties(row)
    assert not set(expected.left.split()) & properties(row)
    notes = made.stderr.splitlines()
    assert all(note.startswith("-- ") for note in notes)
    for key in expected.left.split():
        assert any(note.startswith(f"-- {key} ") for note in notes), made.stderr


def test_the_fields_keep_their_order_and_their_rules(make: Run) -> None:
    made = make("model", NAME=FLUX, COST="2")
    _, _, after = made.stdout.partition('"properties": ')
    fields = json.JSONDecoder(object_pairs_hook=list).raw_decode(after)[0]
    assert [key for key, _ in fields][:4] == ["prompt", "aspect_ratio", "num_outputs", "num_inference_steps"]
    rules = {key: dict(field) for key, field in fields}
    about = {"title": "Prompt", "description": "What prompt is."}
    assert rules["prompt"] == about | {"type": "string", "x-order": 0}
    assert rules["aspect_ratio"]["enum"][:2] == ["1:1", "16:9"]
    assert rules["aspect_ratio"]["default"] == "1:1"
    outputs = rules["num_outputs"]
    assert (outputs["type"], outputs["minimum"], outputs["maximum"], outputs["default"]) == (
        "integer",
        1,
        4,
        1,
    )
    assert "-- num_outputs: a user may ask for 4" in made.stderr


def test_a_photo_is_one_and_several_are_bounded(make: Run, models: Models) -> None:
    (one,) = models.apply(make("model", NAME="nightmareai/real-esrgan", COST="1", IMAGES="image").stdout)
    photo = models.row(one)["input_schema"]["properties"]["image"]
    assert (photo["type"], photo["format"]) == ("string", "image")
    (several,) = models.apply(
        make("model", NAME="google/nano-banana-2", COST="1", IMAGES=" image_input ").stdout
    )
    photos = models.row(several)["input_schema"]["properties"]["image_input"]
    assert (photos["type"], photos["maxItems"]) == ("array", 14)
    assert photos["items"] == {"type": "string", "format": "image"}


def test_a_secret_that_is_required_comes_from_the_workers_environment(make: Run, models: Models) -> None:
    (model_id,) = models.apply(make("model", NAME="openai/gpt-image-1", COST="5").stdout)
    assert models.row(model_id)["defaults"] == {"openai_api_key": {"$env": "OPENAI_API_KEY"}}


def test_a_secret_that_may_be_left_out_is_mentioned(
    make: Run, replicate: MisbehavingReplicate, models: Models
) -> None:
    replicate.models["a/b"] = described("a/b", {"prompt": string(), "hf_token": SECRET}, URI)
    made = make("model", NAME="a/b", COST="1")
    (model_id,) = models.apply(made.stdout)
    assert models.row(model_id)["defaults"] == {}
    assert '"hf_token": {"$env": "HF_TOKEN"}' in made.stderr


def test_running_it_again_updates_the_row_and_no_other(
    make: Run, models: Models, replicate: MisbehavingReplicate
) -> None:
    assert models.apply(make("model", NAME=FLUX, COST="2").stdout) == ["flux-schnell"]
    assert models.apply(make("model", NAME=FLUX, COST="4").stdout) == ["flux-schnell"]
    assert models.row("flux-schnell")["cost"] == 4
    replicate.models["someone/flux-schnell"] = described("someone/flux-schnell", {"prompt": string()}, URI)
    assert models.apply(make("model", NAME="someone/flux-schnell", COST="9").stdout) == []
    assert models.row("flux-schnell")["provider_model"] == FLUX


def test_the_text_of_an_author_is_data(make: Run, replicate: MisbehavingReplicate, models: Models) -> None:
    hostile = described(
        "a/b",
        {
            "prompt": string(title=HOSTILE, description=HOSTILE, default=HOSTILE),
            "plain": string(enum=["'; select 1; --", "$$", "\\"]),
            "unprintable": string(enum=["\0"]),
            HOSTILE: string(),
            "style": {"allOf": [{"$ref": "#/components/schemas/style"}]},
            "big": {"type": "number", "minimum": -1e400, "maximum": 1e300, "default": 1e400},
            "nothing": {"type": "integer", "minimum": 5, "maximum": 1},
            "circle": {"$ref": "#/components/schemas/circle"},
            "union": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
            "map": {"type": "object"},
        },
        URI,
        description=HOSTILE,
    )
    schemas = hostile["latest_version"]["openapi_schema"]["components"]["schemas"]
    schemas["circle"] = {"allOf": [{"$ref": "#/components/schemas/circle"}]}
    schemas["style"] = {"title": "style", "type": "string", "enum": ["one", "two"]}
    replicate.models["a/b"] = json.dumps(hostile).replace("Infinity", "1e400").encode()
    made = make("model", NAME="a/b", COST="1")
    assert made.returncode == 0, made.stderr
    (model_id,) = models.apply(made.stdout)
    row = models.row(model_id)
    assert properties(row) == {"prompt", "plain", "style", "big"}
    assert row["input_schema"]["properties"]["plain"]["enum"] == ["'; select 1; --", "$$", "\\"]
    assert "default" not in row["input_schema"]["properties"]["prompt"]
    assert row["description"].startswith("'; drop table private.models; -- $$ $x$ \\' \"")
    assert row["description"].endswith("ü 🦊")
    for shown in (made.stdout, made.stderr):
        # nothing steers a terminal
        assert all(letter.isprintable() or letter == "\n" for letter in shown)
    assert all(each.startswith("-- ") for each in made.stderr.splitlines())


def test_a_schema_that_holds_itself_many_times_ends(model: Run, replicate: MisbehavingReplicate) -> None:
    itself = {"$ref": "#/components/schemas/Output"}
    output = {"type": "object", "properties": {f"p{n}": itself for n in range(100)}}
    replicate.models["a/b"] = described("a/b", {"prompt": string()}, output)
    assert model("a/b", "1").returncode == 0


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({}, "NAME is owner/name"),
        ({"NAME": "a/b'; touch hostile; '", "COST": "1"}, "NAME is owner/name"),
        (
            {"NAME": FLUX, "COST": "1", "IMAGES": '";touch hostile;`touch hostile`'},
            "its files are: none",
        ),
    ],
)
def test_make_says_in_one_line_what_is_wrong(
    variables: dict[str, str], named: str, make: Run, replicate: MisbehavingReplicate
) -> None:
    assert named in line(make("model", **variables))
    assert not (ROOT / "hostile").exists()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("flux", "1"), "NAME is owner/name"),
        (("https://replicate.com/a/b", "1"), "NAME is owner/name"),
        (("a/b?x=1", "1"), "NAME is owner/name"),
        (("../../b", "1"), "NAME is owner/name"),
        ((FLUX,), "COST is"),
        ((FLUX, "-1"), "COST is"),
        ((FLUX, "1.5"), "COST is"),
        ((FLUX, "\u0663"), "COST is"),
        (("a/unknown", "1"), "no model a/unknown"),
        ((FLUX, "1", "photo"), "its files are: none"),
        (("google/veo-3.1", "1", "prompt"), "its files are: image,last_frame,reference_images"),
        (("nightmareai/real-esrgan", "1"), "IMAGES=image"),
        (("stability-ai/sdxl", "1", "image,lora_scale"), "IMAGES=lora_scale"),
    ],
)
def test_a_row_that_cannot_be_made_is_refused_in_one_line(
    arguments: tuple[str, ...], named: str, model: Run
) -> None:
    assert named in line(model(*arguments))


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("REPLICATE_API_TOKEN", None, "REPLICATE_API_TOKEN is missing: set it in .env"),
        ("REPLICATE_API_TOKEN", "", "REPLICATE_API_TOKEN is missing"),
        ("REPLICATE_API_TOKEN", "r8_ü", "REPLICATE_API_TOKEN is wrong: it holds a character"),
        ("REPLICATE_API_TOKEN", "r8_wrong", "Replicate refuses the token"),
        ("REPLICATE_BASE_URL", "http://nowhere.invalid", "does not answer"),
        ("REPLICATE_BASE_URL", "http://127.0.0.1:1", "does not answer"),
        ("REPLICATE_BASE_URL", "http://[", "REPLICATE_BASE_URL is wrong"),
    ],
)
def test_a_wrong_setting_is_said_in_one_line(
    name: str, value: str | None, named: str, model: Run, environment: pytest.MonkeyPatch
) -> None:
    environment.delenv(name) if value is None else environment.setenv(name, value)
    assert named in line(model(FLUX, "1"))


PLAIN = described("a/b", {"prompt": string()}, URI, is_official=False)
OBJECT = {"type": "object"}


def change(**latest_version: Any) -> dict[str, Any]:
    return PLAIN | {"latest_version": PLAIN["latest_version"] | latest_version}


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        (b"<!doctype html>", "is no model"),
        (b"[" * 100_000, "is no model"),
        (b"[]", "is no model"),
        (b'{"owner": "a", "name": "b", "x": NaN}', "is no model"),
        (b" " * 9_000_000, "does not answer"),
        ({"detail": "hello"}, "names no model"),
        (PLAIN | {"latest_version": None}, "no schema"),
        (change(openapi_schema=None), "no schema"),
        (change(openapi_schema={"components": []}), "not one we can read"),
        (change(openapi_schema={"components": {"schemas": {"Input": {"properties": []}}}}), "names no input"),
        (change(openapi_schema={"components": {"schemas": {"Input": 7}}}), "names no input"),
        (change(id=None), "no version"),
        (described("a/b", {"all": OBJECT}, URI, required=["all"]), "requires all"),
        (described("a/b", {"zip": URIS}, URI, required=["zip"]), "IMAGES=zip"),
    ],
    ids=range(14),
)
def test_an_answer_that_makes_no_sense_is_said_in_one_line(
    answer: Any, named: str, model: Run, replicate: MisbehavingReplicate
) -> None:
    replicate.models["a/b"] = answer
    assert named in line(model("a/b", "1"))


@pytest.mark.parametrize(
    ("status", "named"), [(429, "in a minute"), (500, "answers 500"), (302, "answers 302")]
)
def test_a_refusal_is_said_in_one_line(
    status: int, named: str, model: Run, replicate: MisbehavingReplicate
) -> None:
    replicate.faults["model"].append(ErrorResponse(status))
    assert named in line(model(FLUX, "1"))
