"""Logs: one JSON object a line, with ids and states, never secrets or personal data."""

import logging
import sys
from typing import Any

import structlog
from structlog.tracebacks import ExceptionDictTransformer

import domain.errors

# Errors of ours that may speak; of anything else, which may quote a row or a body, only the class.
DISCREET = {*vars(domain.errors), "ApplicationError", "ActivityError"}
as_stacks = ExceptionDictTransformer(show_locals=False)


def discreetly(exc_info: Any) -> list[dict[str, Any]]:
    """The exception and its causes: where each was raised, and what it may say."""
    return [_quieted(stack) for stack in as_stacks(exc_info)]


def _quieted(stack: dict[str, Any]) -> dict[str, Any]:
    if stack["exc_type"] not in DISCREET:
        stack |= {"exc_value": "", "exc_notes": [], "syntax_error": None}
    stack["exceptions"] = [[_quieted(each) for each in group] for group in stack["exceptions"]]
    return stack


SHARED: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.ExceptionRenderer(discreetly),
]


def configure(level: str) -> None:
    """Send our own records and those of every library to stdout in one form."""
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=SHARED,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in ("httpx", "httpcore", "aiosqlite"):
        logging.getLogger(chatty).setLevel("WARNING")
    structlog.configure(
        processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
