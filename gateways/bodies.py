"""Reading what gateways write: bodies that may not be as documented."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

Json = dict[str, Any]

MALFORMED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{2,63}")


@contextmanager
def malformed_is(failure: Exception) -> Iterator[None]:
    """Raise `failure` instead of tripping over a body that is not as documented."""
    try:
        yield
    except MALFORMED as error:
        raise failure from error


def parsed(raw: bytes) -> Json:
    """Raises `ValueError` unless it is one JSON object."""
    try:
        body = json.loads(raw)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    if not isinstance(body, dict):
        raise ValueError("not an object")
    return body


def mapping(value: object) -> Json:
    """An object, or an empty one: some gateways send that as `[]` or null."""
    return value if isinstance(value, dict) else {}


def word(entity: Json, name: str) -> str | None:
    """The text under the name; None without one, or with a NUL, which no database takes."""
    value = entity.get(name)
    return value if isinstance(value, str) and value and "\0" not in value else None


def text(entity: Json, name: str) -> str:
    """Raises `ValueError` if there is none."""
    value = word(entity, name)
    if value is None:
        raise ValueError(f"no {name}")
    return value


def code(entity: Json, name: str) -> str | None:
    """A word of the gateway's vocabulary, never a sentence; None for null and for "NA"."""
    value = word(entity, name) or ""
    return value if CODE.fullmatch(value) else None
