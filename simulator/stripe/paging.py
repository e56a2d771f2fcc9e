"""Lists a page at a time, the newest first."""

from collections.abc import Callable, Mapping, Sequence

from simulator.records import Json
from simulator.stripe.errors import StripeError
from simulator.stripe.forms import whole


def page(entities: Sequence[Json], query: Mapping[str, str], url: str) -> Json:
    """Take `limit` (10, at most 100) of them, `starting_after` the one named.

    `entities` come the oldest first; `created[gte]` and `created[lt]` are Unix seconds.
    """
    limit = whole(query.get("limit", "10"), "limit")
    if not 1 <= limit <= 100:
        raise StripeError("Invalid limit: must be between 1 and 100.", param="limit")
    chosen = [each for each in reversed(entities) if made_within(query)(each)]
    if after := query.get("starting_after"):
        ids = [each["id"] for each in chosen]
        if after not in ids:
            raise StripeError(f"No such object: '{after}'", param="starting_after")
        chosen = chosen[ids.index(after) + 1 :]
    rest = len(chosen) > limit
    return {"object": "list", "data": chosen[:limit], "has_more": rest, "url": url}


def made_within(query: Mapping[str, str]) -> Callable[[Json], bool]:
    since = whole(query.get("created[gte]", "0"), "created[gte]")
    until = whole(query.get("created[lt]", str(2**40)), "created[lt]")
    return lambda entity: since <= entity["created"] < until
