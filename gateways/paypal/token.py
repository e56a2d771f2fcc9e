"""The access token: one for all who call at the same time, and a new one before it ends.

Source: https://developer.paypal.com/api/rest/authentication.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from gateways.bodies import malformed_is, text
from gateways.http import GatewayClient

PATH = "/v1/oauth2/token"
FORM = "application/x-www-form-urlencoded"
EARLY = timedelta(minutes=5)


class Token:
    """`http` bears the keys of the app; a token for each call would be rate-limited."""

    def __init__(self, http: GatewayClient, clock: Callable[[], datetime]) -> None:
        self._http, self._clock = http, clock
        self._text = ""
        self._ends: datetime | None = None
        self._fetching = asyncio.Lock()

    async def current(self) -> str:
        """The token, fetched if there is none or if it is about to end."""
        async with self._fetching:
            if self._ends is None or self._clock() >= self._ends - EARLY:
                await self._fetch()
            return self._text

    async def renewed(self, spent: str) -> str:
        """Another token than the spent one; who comes second gets what the first has fetched."""
        async with self._fetching:
            if self._text == spent:
                await self._fetch()
            return self._text

    async def _fetch(self) -> None:
        asked_at = self._clock()
        content, headers = "grant_type=client_credentials", {"Content-Type": FORM}
        answer = await self._http.post(PATH, content=content, headers=headers)
        with malformed_is(answer.failure):
            self._text = text(answer.body, "access_token")
            self._ends = asked_at + timedelta(seconds=int(answer.body["expires_in"]))
