"""The web server, as `python -m api` runs it."""

import socket
from types import FrameType

import uvicorn

from api.app import create_app
from settings import Settings

# Longer than clients keep a connection, who would else send into one that is being closed.
KEEP_ALIVE_SECONDS = 75
GRACE_SECONDS = 5


class Server(uvicorn.Server):
    """Ends in order: streams first, then connections, then what the application has open."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """uvicorn would die of the signal after all, and a clean end would not exit with 0."""
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # The lifespan ends only after the last connection, and a stream would keep that open.
        self.config.app.state.services.stopping.set()  # type: ignore[union-attr]
        await super().shutdown(sockets)


def make_server(settings: Settings) -> Server:
    """A server of the API under these settings, ready to `run()` or `serve()`."""
    return Server(
        uvicorn.Config(
            create_app(settings),
            host=settings.api_host,
            port=settings.api_port,
            log_config=None,
            access_log=False,  # it would write tokens down
            timeout_graceful_shutdown=GRACE_SECONDS,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            server_header=False,
        )
    )
