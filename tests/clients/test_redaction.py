"""Tests of redaction: secrets are removed from Azure's messages, and ordinary words stay, even if a short secret is
part of one.
"""

import pytest

from rotator.clients.redaction import clean

SAID = "400 InvalidRequest: The value 'a' of a container's variable is invalid: abc, limit=abc12, at 10 or 100."


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("a", SAID.replace("'a'", "'***'")),
        ("abc", SAID.replace(": abc,", ": ***,")),
        ("10", SAID.replace(" 10 ", " *** ")),
        ("abc1", SAID.replace("abc1", "***")),
        ("or", SAID.replace(" or ", " *** ")),
        ("tain", SAID.replace("tain", "***")),
        (" ", SAID),
        ("", SAID),
        ("'", SAID),
        ("*", SAID),
    ],
)
def test_a_short_secret_is_removed_as_a_word_and_a_longer_one_wherever_it_stands(secret: str, said: str) -> None:
    assert clean([secret], SAID) == said


@pytest.mark.parametrize("around", ["'{}'", '"{}"', "value={}", "value:{}", "value:{}, more", "in '{}' and '{}'"])
@pytest.mark.parametrize("secret", ["x", "7", "§", "xy", "x-y", "xyz", "x.y*z", "x" * 40, "x y"])
def test_a_quoted_or_assigned_secret_is_removed_whatever_its_length(secret: str, around: str) -> None:
    assert clean([secret], around.replace("{}", secret)) == around.replace("{}", "***")


def test_a_secret_inside_another_is_removed_with_it() -> None:
    assert clean(["a", "hunter", "hunter2a"], "no 'hunter2a', no hunter, not a 'a'") == "no '***', no ***, not a '***'"
