"""Where PayPal's signing certificates lie, and whose they must be.

Source: https://developer.paypal.com/api/rest/webhooks and PayPal's own verification in the archived
repository paypal/PayPal-Python-SDK, paypalrestsdk/notifications.py.
"""

import asyncio
import re
from collections.abc import Callable
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.verification import Store

from domain.errors import BadSignature
from gateways.certificates import key_of
from gateways.http import GatewayClient

PATH = r"(?:/[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}){1,6}"
OF_PAYPAL = re.compile(rf"https://(?:[a-z0-9-]{{1,63}}\.){{0,4}}paypal\.com{PATH}")
NAMES = ("messageverificationcerts.paypal.com", "messageverificationcerts.sandbox.paypal.com")
FOUND, NOT_THERE = 200, (400, 401, 403, 404, 410)
MOST_KEPT = 32


class Certificates:
    """Fetched once from PayPal's own hosts, without redirects; checked whenever they are used."""

    def __init__(
        self,
        http: GatewayClient,
        store: Store,
        elsewhere: str | None,
        clock: Callable[[], datetime],
    ) -> None:
        self._http, self._store, self._clock = http, store, clock
        self._elsewhere = re.compile(re.escape(elsewhere.rstrip("/")) + PATH) if elsewhere else None
        self._kept: dict[str, bytes] = {}
        self._fetching = asyncio.Lock()

    async def key_at(self, url: str) -> RSAPublicKey:
        """Raises `BadSignature` for any other host, and for what no trusted root vouches for.

        Raises `GatewayUnavailable` or `OutcomeUnknown` while PayPal cannot be reached.
        """
        if not self._may_lie_at(url):
            raise BadSignature("a certificate from somewhere else")
        # One at a time, so that forged messages cannot make us call PayPal without end.
        async with self._fetching:
            pem = self._kept.get(url) or await self._fetch(url)
            key = key_of(pem, NAMES, self._store, self._clock())
            self._keep(url, pem)
            return key

    def _may_lie_at(self, url: str) -> bool:
        if self._elsewhere and self._elsewhere.fullmatch(url):
            return True
        return OF_PAYPAL.fullmatch(url) is not None

    async def _fetch(self, url: str) -> bytes:
        answer = await self._http.get(url, answers=(FOUND, *NOT_THERE))
        if answer.status != FOUND:
            raise BadSignature("there is no such certificate")
        return answer.raw

    def _keep(self, url: str, pem: bytes) -> None:
        """Only what was vouched for gets here, so nobody can push the good ones out."""
        self._kept[url] = pem
        if len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]
