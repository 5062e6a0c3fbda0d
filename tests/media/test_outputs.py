"""Where the outputs are in what a model answers."""

from typing import Any

import pytest

from tasks.providers.download import File, is_at
from tasks.providers.outputs import MAX_FILES, found_in, shape
from tasks.providers.protocol import Permanent

ORIGINS = ["https://*.replicate.delivery"]
AT = "https://a.replicate.delivery"
DATA = "data:image/png;base64,iVBORw0KGgo="


def found(output: Any) -> list[object]:
    outputs = found_in(output, origins=ORIGINS, facts={})
    return [each.url if isinstance(each, File) else each for each in outputs]


def nested(depth: int) -> Any:
    output: Any = f"{AT}/deep.png"
    for _ in range(depth):
        output = [output]
    return output


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (f"{AT}/0.png", [f"{AT}/0.png"]),
        (DATA, [DATA]),
        ([f"{AT}/0.png", None, f"{AT}/1.png"], [f"{AT}/0.png", f"{AT}/1.png"]),
        ({"image": f"{AT}/0.png", "seed": 1, "prompt": "a fox"}, [f"{AT}/0.png"]),
        ([{"url": f"{AT}/0.png"}, {"url": [f"{AT}/1.png", DATA]}], [f"{AT}/0.png", f"{AT}/1.png", DATA]),
        ({"image": f"{AT}/0.png", "images": [f"{AT}/0.png"]}, [f"{AT}/0.png"]),
        ([f"{AT}/0.png", "https://example.com/1.png"], [f"{AT}/0.png"]),
        (nested(50_000), [f"{AT}/deep.png"]),
        ("A fox.", ["A fox."]),
        (["A ", "", "fox."], ["A fox."]),
        ("data: the plural of datum", ["data: the plural of datum"]),
        ("See https://example.com/ for more.", ["See https://example.com/ for more."]),
        (["See ", "https://example.com/", " for more."], ["See https://example.com/ for more."]),
    ],
)
def test_outputs_are_found_in_any_shape(output: Any, expected: list[object]) -> None:
    assert found(output) == expected


@pytest.mark.parametrize(
    "output",
    [None, "", " \n", [], {}, [None], 7, [0.1, 0.2], {"text": "a fox"}, ["a fox", 7],
     "https://example.com/0.png", ["https://example.com/0.png", "https://example.com/1.png"],
     "https://xn--a.replicate.delivery/", "https://replicate.delivery.example.com/", f"{AT}:444/0.png",
     "http://a.replicate.delivery/0.png", "https://a.replicate.delivery@example.com/0.png", f"{AT}/\ud800"],
)  # fmt: skip
def test_nothing_found_is_our_readers_fault(output: Any) -> None:
    with pytest.raises(Permanent) as refused:
        found(output)
    assert refused.value.code == "provider_unavailable"


def test_there_is_a_bound_of_files_and_the_first_are_kept() -> None:
    urls = [f"{AT}/{number}.png" for number in range(1000)]
    assert found(urls) == urls[:MAX_FILES]


def test_the_log_says_the_shape_and_nothing_else() -> None:
    said = {"url": f"{AT}/a-secret-name.png?token=secret", "text": "a secret fox", "n": [1, 2.5, True, None],
            "a secret key!": DATA, "deep": [[[[["x"]]]]], "many": ["x"] * 500}  # fmt: skip
    assert shape(said) == (
        "{url: URL at a.replicate.delivery, text: text of 12, n: [4 x number, true, null], "
        "a?secret?key?: data URI, deep: [1 x [1 x [1 x […]]]], many: [500 x text of 1]}"
    )


@pytest.mark.parametrize("origin", ["https://*.replicate.delivery", "https://replicate.delivery"])
def test_an_origin_is_a_host_and_with_a_star_all_below_it(origin: str) -> None:
    assert is_at("https://replicate.delivery/0.png", [origin])
    assert is_at("https://a.b.replicate.delivery/0.png", [origin]) == ("*" in origin)
    assert not is_at("https://notreplicate.delivery/0.png", [origin])
