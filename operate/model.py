"""`make model NAME=owner/name COST=n [IMAGES=image,mask]`: print a Replicate model's row as SQL.

The statement goes to standard output. Omitted fields, with the reason, go to standard error as SQL
comments.
"""

import re
import sys
from collections.abc import Sequence

from operate import Refused, replicate, schema
from operate.kind import kind_of
from operate.row import Row, statement

USAGE = "make model NAME=owner/name COST=credits [IMAGES=image,mask]"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9][A-Za-z0-9_.-]*")


def main(arguments: Sequence[str]) -> int:
    try:
        name, cost, images = read(arguments)
        row = row_of(replicate.model(name), cost=cost, images=images)
    except Refused as error:
        print(schema.text(str(error)), file=sys.stderr)
        return 1
    for note in row.notes:
        print("--", schema.text(note), file=sys.stderr)
    print(statement(row))
    return 0


def read(arguments: Sequence[str]) -> tuple[str, int, set[str]]:
    name, cost, images = (*arguments, "", "", "")[:3]
    if not NAME.fullmatch(name):
        raise Refused(f"NAME is owner/name, as in the address of the model's page: {USAGE}")
    if not re.fullmatch(r"\d{1,6}", cost, re.ASCII):
        raise Refused(f"COST is the price of one job in whole credits: {USAGE}")
    return name, int(cost), {image.strip() for image in images.split(",") if image.strip()}


def row_of(model: schema.Json, *, cost: int, images: set[str]) -> Row:
    owner, name = (schema.text(model.get(key), 100) for key in ("owner", "name"))
    if not NAME.fullmatch(f"{owner}/{name}"):
        raise Refused("The answer names no model: check REPLICATE_BASE_URL.")
    schemas = schemas_of(model)
    found = schema.read(schemas, images)
    refuse_wrong_images(found, images)
    kind, guess = kind_of(model, schemas)
    row = Row(
        id=re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-"),
        title=" ".join(word[0].upper() + word[1:] for word in re.split(r"[-_]+", name) if word),
        description=schema.text(model.get("description"), schema.LONGEST_DESCRIPTION),
        kind=kind,
        cost=cost,
        provider_model=provider_model_of(model, owner, name),
        defaults=defaults_of(found),
        input_schema={
            "type": "object",
            "required": [key for key in found.required if key in found.properties],
            "properties": found.properties,
        },
        timeout="30 minutes" if kind == "video" else "15 minutes",
    )
    left = [f"{key} was left out: {why.reason}" for key, why in found.left.items() if key not in row.defaults]
    given = [
        f"{key} is a secret and required: defaults take it from the worker's environment"
        for key in row.defaults
    ]
    row.notes = [f"kind = {kind}, by {guess}: check it", *given, *left, *found.notes]
    return row


def schemas_of(model: schema.Json) -> schema.Json:
    version = model.get("latest_version")
    if not isinstance(version, dict) or not isinstance(version.get("openapi_schema"), dict):
        raise Refused(
            "Replicate shows no schema of this model: push a version of it, or use a token of the account that owns it."
        )
    components = version["openapi_schema"].get("components")
    schemas = components.get("schemas") if isinstance(components, dict) else None
    if not isinstance(schemas, dict):
        raise Refused(
            "The schema of this model is not one we can read: look at its API tab, and write the row by hand."
        )
    return schemas


def provider_model_of(model: schema.Json, owner: str, name: str) -> str:
    """A model that Replicate keeps running is called by its name, any other by its version."""
    if model.get("is_official") is True:
        return f"{owner}/{name}"
    version = model["latest_version"].get("id")
    if not isinstance(version, str) or not re.fullmatch(r"[0-9a-z]{1,64}", version):
        raise Refused("Replicate shows no version of this model: push one, or choose an official model.")
    return f"{owner}/{name}:{version}"


def refuse_wrong_images(found: schema.Read, images: set[str]) -> None:
    photos = {
        key
        for key, kept in found.properties.items()
        if "image" in (kept.get("format"), kept.get("items", {}).get("format"))
    }
    files = [key for key, why in found.left.items() if why.why == "file"]
    if wrong := sorted(images - photos):
        takes = ",".join([*sorted(photos), *files]) or "none"
        raise Refused(f"IMAGES={','.join(wrong)} names no file of this model; its files are: {takes}.")
    missing = [key for key in found.required if key in found.left and found.left[key].why != "secret"]
    if needed := [key for key in missing if key in files]:
        raise Refused(
            f"The model requires {', '.join(needed)}, a file: say IMAGES={','.join([*sorted(images), *needed])}."
        )
    if missing:
        reason = found.left[missing[0]].reason
        raise Refused(
            f"The model requires {missing[0]}, and {reason}: write the row by hand, with a default for it."
        )


def defaults_of(found: schema.Read) -> schema.Json:
    """A secret that the model requires comes from the worker's environment."""
    secrets = [key for key in found.required if key in found.left and found.left[key].why == "secret"]
    return {key: schema.from_environment(key) for key in secrets}


if __name__ == "__main__":
    # a title may have any letter
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.exit(main(sys.argv[1:]))
