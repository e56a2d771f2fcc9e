"""`python -m api`: serve the API."""

import logging
import os
import sys

import logs
import settings
from api.server import make_server


def main() -> int:
    config = settings.load(needs=["gateways", "api_keys"])
    logs.configure(config.log_level)
    server = make_server(config)
    server.run()
    return 0 if server.started else 1


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    sys.stdout.flush()
    # Temporal's client can crash while the interpreter takes itself apart.
    os._exit(code)
