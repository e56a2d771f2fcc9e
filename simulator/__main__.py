"""`python -m simulator`: listen, say where, serve until stopped."""

import logging
import socket
import sys

import uvicorn

from simulator.app import create_app
from simulator.connection import CuttableProtocol
from simulator.database import OtherVersion
from simulator.settings import Settings, read_settings

log = logging.getLogger("simulator")


def main() -> int:
    settings = read_settings()
    logging.basicConfig(
        stream=sys.stdout,
        level=settings.log_level.upper(),
        format="%(asctime)s %(name)s %(levelname)s %(message)s",
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        listener = socket.create_server((settings.host, settings.port), backlog=512)
        serve(settings, listener)
    except OSError as error:
        log.error("cannot listen on %s:%s: %s", settings.host, settings.port, error.strerror)
        return 2
    except OtherVersion as error:
        log.error("%s", error)
        return 2
    return 0


def serve(settings: Settings, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    base_url = settings.public_url or f"http://{settings.host}:{port}"
    config = uvicorn.Config(
        create_app(settings, base_url.rstrip("/")),
        http=CuttableProtocol,
        log_config=None,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=2,
    )
    log.info("simulator ready on http://%s:%s, state in %s", settings.host, port, settings.state)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    sys.exit(main())
