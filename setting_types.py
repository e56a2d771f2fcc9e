"""What a setting may look like: the types behind `settings.py`."""

import re
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def shaped(pattern: str, example: str) -> AfterValidator:
    def check(text: str) -> str:
        # Never the text itself: some hold a password.
        if not re.fullmatch(pattern, text):
            raise ValueError(f"must look like {example}")
        return text

    return AfterValidator(check)


def known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("must be a time zone, like Asia/Kolkata") from error
    return name


Url = Annotated[
    str,
    shaped(r"https?://[^\s/?#]+(/[^\s?#]*)?", "https://pay.example"),
    AfterValidator(lambda url: url.rstrip("/")),
]
Address = Annotated[str, shaped(r"\S+:\d{1,5}", "127.0.0.1:7233")]
Mailbox = Annotated[str, shaped(r"[^\s@<>]+@[^\s@<>]+", "orders@shop.example")]
DatabaseUrl = Annotated[
    str,
    shaped(
        r"sqlite\+aiosqlite:///.+|postgresql\+asyncpg://.+/.+",
        "sqlite+aiosqlite:///path/to/file or postgresql+asyncpg://user:password@host/name",
    ),
]
Series = Annotated[str, shaped(r"[A-Z0-9]{1,10}", "INV")]
Words = Annotated[str, Field(min_length=1, max_length=200)]
Seconds = Annotated[float, Field(gt=0, le=31_536_000)]
Delay = Annotated[float, Field(ge=0, le=31_536_000)]


class ApiKey(BaseModel):
    """Who may call the API. Only the sha256 of a key is ever kept."""

    name: str = Field(min_length=1, max_length=64)
    role: Literal["client", "operator"]
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class Rule(BaseModel):
    """By which gateways orders are paid, the first that can: of a currency, or of such amounts."""

    model_config = ConfigDict(extra="forbid")

    gateways: tuple[str, ...] = Field(min_length=1)
    currency: str | None = Field(default=None, pattern="^[A-Z]{3}$")
    at_least: int = Field(default=0, ge=0)
    below: int | None = Field(default=None, gt=0)
