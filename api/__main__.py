"""`python -m api`: serve the API."""

import logging
import os
import sys

import uvicorn

import logs
import settings
from api.app import create_app

GRACE_SECONDS = 5


def main() -> int:
    config = settings.load(needs=["gateways", "api_keys"])
    logs.configure(config.log_level)
    app = create_app(config)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=config.api_host,
            port=config.api_port,
            log_config=None,
            access_log=False,  # it would write tokens down
            timeout_graceful_shutdown=GRACE_SECONDS,
            server_header=False,
        )
    )
    server.run()
    return 0 if server.started else 1


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    sys.stdout.flush()
    # Temporal's client can crash while the interpreter takes itself apart.
    os._exit(code)
