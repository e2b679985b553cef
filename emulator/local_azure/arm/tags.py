"""Tags of a body: Resource Manager reads every value of any type as a text, and refuses lists and objects.

Source: the words reported of tags that are a list (azure-cli 5936) or hold an object (azure-sdk-for-java 1891). How a
null is kept could not be looked up; here it is an empty text.
"""

import json

from local_azure.wire import Json, ServiceError

_TYPE = "Microsoft.WindowsAzure.ResourceStack.Frontdoor.Data.Entities.Tags.TagsDictionary"
_RESERVED = "<>%&\\?/"


def tags_of(body: Json) -> dict[str, str]:
    """Return the tags of a body, each a text; {} where there are none. Raises ServiceError 400."""
    given = body.get("tags")
    if given is None:
        return {}
    if isinstance(given, list):
        fix = (
            f"Cannot deserialize the current JSON array (e.g. [1,2,3]) into type '{_TYPE}' because the type requires a"
            ' JSON object (e.g. {"name":"value"}) to deserialize correctly.'
        )
        raise _invalid(f"{fix} Path 'tags', line 1, position 1.")
    if not isinstance(given, dict):
        raise _invalid(
            f"Error converting value {json.dumps(given)} to type '{_TYPE}'. Path 'tags', line 1, position 1."
        )
    tags = {name: _text(name, value) for name, value in given.items()}
    if wrong := [name for name in tags if any(mark in _RESERVED or not mark.isprintable() for mark in name)]:
        raise ServiceError(
            400,
            "InvalidTagNameCharacters",
            f"The tag names '{','.join(wrong)}' have reserved characters '<,>,%,&,\\,?,/' or control characters.",
        )
    return tags


def _text(name: str, value: Json) -> str:
    if isinstance(value, list | dict):
        token = "StartArray" if isinstance(value, list) else "StartObject"
        raise _invalid(f"Error reading string. Unexpected token: {token}. Path 'tags.{name}', line 1, position 1.")
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


def _invalid(why: str) -> ServiceError:
    message = f"The request content was invalid and could not be deserialized: '{why}'."
    return ServiceError(400, "InvalidRequestContent", message)
