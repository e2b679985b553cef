"""Tests of bodies with invalid JSON: refused in the words of Azure's reader."""

import json

import pytest
from local_azure.bad_json import words
from local_azure.wire import Request, ServiceError


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "Unexpected end when reading JSON. Path '', line 1, position 1."),
        ("x", "Unexpected character encountered while parsing value: x. Path '', line 0, position 0."),
        ('{"a": x}', "Unexpected character encountered while parsing value: x. Path 'a', line 1, position 6."),
        (
            '{"a" 1}',
            "Invalid character after parsing property name. Expected ':' but got: 1. Path '', line 1, position 5.",
        ),
        (
            '{"a": 1 "b": 2}',
            "After parsing a value an unexpected character was encountered: \". Path 'a', line 1, position 8.",
        ),
        (
            '{\n"p": {"c": [1, {"n": ]}]}}',
            "Unexpected character encountered while parsing value: ]. Path 'p.c[1].n', line 2, position 21.",
        ),
        ('{"a": "b', "Unterminated string. Expected delimiter: \". Path 'a', line 1, position 8."),
        ("{} x", "Additional text encountered after finished reading JSON content: x. Path '', line 1, position 3."),
    ],
)
def test_what_is_no_json_is_refused_in_the_words_of_azures_reader(text: str, said: str) -> None:
    with pytest.raises(json.JSONDecodeError) as found:
        json.loads(text)
    assert words(text, found.value) == said
    with pytest.raises(ServiceError) as refused:
        Request("PUT", "h", "/", {}, {}, text.encode()).json()
    assert refused.value.message == f"The request content was invalid and could not be deserialized: '{said}'."


@pytest.mark.parametrize("body", [b"\xff", b"[" * 100_000])
def test_bytes_and_depths_that_no_reader_takes_are_refused_too(body: bytes) -> None:
    with pytest.raises(ServiceError, match="could not be deserialized"):
        Request("PUT", "h", "/", {}, {}, body).json()
