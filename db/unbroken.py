"""Calls that end what they began, also if whoever made them is canceled meanwhile.

A pool forgets a connection whose user is canceled at the wrong moment, and a forgotten connection
to SQLite holds the write lock: after some such cancellations every writer waits in vain (tried).
"""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
Store = TypeVar("Store")
Call = Callable[P, Coroutine[Any, Any, R]]


def unbroken(method: Call[P, R]) -> Call[P, R]:
    """The method, run to its end; a cancellation takes effect after it."""

    @wraps(method)
    async def whole(*args: P.args, **kwargs: P.kwargs) -> R:
        work = asyncio.create_task(method(*args, **kwargs))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait([work])
            if not work.cancelled():
                work.exception()  # looked at, since nobody else will
            raise

    return whole


def unbroken_calls(store: type[Store]) -> type[Store]:
    """Make every public call of a store unbroken: each is one transaction."""
    for name, method in list(vars(store).items()):
        if iscoroutinefunction(method) and not name.startswith("_"):
            setattr(store, name, unbroken(method))
    return store
