"""Bodies as Stripe takes them: forms with brackets, where every value is text."""

from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl

from simulator.records import Json
from simulator.stripe.errors import StripeError

FORM = "application/x-www-form-urlencoded"


def read_form(raw: bytes, content_type: str) -> Json:
    """The form as nested maps: `a[b][0]=c` is `{"a": {"b": {"0": "c"}}}`."""
    if raw and content_type.partition(";")[0] != FORM:
        raise StripeError(f"Invalid request: the content type must be {FORM}.")
    form: Json = {}
    for name, value in parse_qsl(raw.decode(), keep_blank_values=True):
        put(form, list(parts_of(name)), value)
    return form


def put(form: Json, path: list[str], value: str) -> None:
    for part in path[:-1]:
        form = form.setdefault(part, {})
        if not isinstance(form, dict):
            raise StripeError("Invalid request: a parameter is both a value and a map.")
    form[path[-1]] = value


def parts_of(name: str) -> Iterator[str]:
    head, _, rest = name.partition("[")
    yield head
    if rest:
        yield from rest.removesuffix("]").split("][")


def allow(form: Mapping[str, object], names: str, prefix: str = "") -> None:
    """Raise `StripeError` for the first parameter that is none of `names`."""
    for name in form:
        if name not in names.split():
            full = f"{prefix}[{name}]" if prefix else name
            message = f"Received unknown parameter: {full}"
            raise StripeError(message, code="parameter_unknown", param=full)


def section(form: Json, name: str) -> Json:
    """The map under a name; an empty one if there is none."""
    value = form.get(name) or {}
    if not isinstance(value, dict):
        raise StripeError("Invalid object", param=name)
    return value


def required(form: Json, name: str, full: str) -> str:
    value = form.get(name)
    if not isinstance(value, str) or not value:
        message = f"Missing required param: {full}."
        raise StripeError(message, code="parameter_missing", param=full)
    return value


def whole(text: str, full: str) -> int:
    if not text.removeprefix("-").isdecimal():
        message = f"Invalid integer: {text}"
        raise StripeError(message, code="parameter_invalid_integer", param=full)
    return int(text)
