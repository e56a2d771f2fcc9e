"""Whether the API lives, and whether it can do its work."""

import asyncio

import structlog
from fastapi import APIRouter
from pydantic import BaseModel

from api.problems import ApiError, documented
from api.services import Services
from api.temporal import reached

PATIENCE_SECONDS = 3
router = APIRouter(tags=["operations"])
log = structlog.get_logger()


class Health(BaseModel):
    status: str = "ok"


@router.get("/healthz")
async def is_alive() -> Health:
    """The process answers."""
    return Health()


@router.get("/readyz", responses=documented(503))
async def is_ready(services: Services) -> Health:
    """Database and Temporal answer too."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await services.database.ping()
            with reached():
                serves = await services.temporal.service_client.check_health()
            if not serves:
                raise ApiError(503, "not-ready", "Temporal does not serve yet.")
    except TimeoutError as error:
        raise ApiError(503, "not-ready", "Database or Temporal take too long.") from error
    return Health()
