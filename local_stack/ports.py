"""Which ports the processes get, and whether they can have them. All listen on 127.0.0.1."""

import os
import random
import socket
from collections.abc import Iterable, Mapping
from contextlib import ExitStack

HOST = "127.0.0.1"
USUAL_PORTS = {
    "SHOP_PORT": 8080,
    "API_PORT": 8000,
    "TEMPORAL_PORT": 7233,
    "TEMPORAL_UI_PORT": 8233,
    "SIMULATOR_PORT": 8100,
    "SMTP_PORT": 1025,
    "MAILBOX_PORT": 8025,
    "WORKER_METRICS_PORT": 9464,
}
# Below what kernels hand to outgoing connections: nobody takes one before its server binds it.
RARELY_USED = range(20_000, 32_000)


class Misconfigured(Exception):
    """The stack cannot run as it was asked to; nothing was started."""


def chosen_ports(otherwise: Mapping[str, int]) -> Mapping[str, int]:
    """The ports that the environment names, else the given ones."""
    return {name: _number(name, os.environ.get(name, port)) for name, port in otherwise.items()}


def _number(name: str, value: str | int) -> int:
    try:
        port = int(value)
    except ValueError:
        port = 0
    if not 0 < port < 65536:
        raise Misconfigured(f"{name} must be a port, 1 to 65535, not {value!r}")
    return port


def free_ports(names: Iterable[str] = USUAL_PORTS) -> Mapping[str, int]:
    """A port for each name that nobody listens on, all of them different."""
    candidates = random.sample(RARELY_USED, len(RARELY_USED))
    with ExitStack() as held:
        return {name: next(p for p in candidates if _hold(p, held)) for name in names}


def refuse_taken(ports: Mapping[str, int]) -> None:
    """Hold every port for a moment, so that two names for one port are found out as well."""
    with ExitStack() as held:
        for name, port in ports.items():
            if not _hold(port, held):
                wanted_by = name.removesuffix("_PORT").lower().replace("_", " ")
                free = free_ports([name])[name]
                raise Misconfigured(
                    f"port {port} is taken, and the {wanted_by} wants it: "
                    f"choose another one, for example {name}={free}"
                )


def _hold(port: int, held: ExitStack) -> bool:
    holder = held.enter_context(socket.socket())
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        holder.bind((HOST, port))
        holder.listen()
    except OSError:
        return False
    return True
