"""What every call goes through: who asks, was it answered before, do faults interfere; one log."""

import json
import secrets
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hmac import compare_digest

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from simulator.answers import Answers
from simulator.books import Books
from simulator.connection import cut
from simulator.faults import AnswerCounter
from simulator.paypal.account import TOKEN_LIFE, PayPalAccount
from simulator.paypal.errors import PayPalError, missing, refused
from simulator.records import Json, Link

KEY = "PayPal-Request-Id"
LONGEST_KEY = 108
MINIMAL = ("id", "status", "links")
SCOPE = "https://uri.paypal.com/services/payments/payment https://uri.paypal.com/payments/refund"


class FrontDesk:
    def __init__(self, account: PayPalAccount, books: Books) -> None:
        self._account, self._answers = account, Answers(books.db, "paypal", books.clock)
        self._ledger, self._faults, self._clock = books.ledger, books.faults, books.clock
        self._in_progress: set[str] = set()
        self._tokens: dict[str, float] = {}

    async def issue_token(self, request: Request) -> Response:
        """A token for the keys of the app; those that a restart has forgotten are worth nothing."""
        pair = f"{self._account.client_id}:{self._account.client_secret}".encode()
        expected = f"Basic {b64encode(pair).decode()}"
        given = request.headers.get("Authorization", "")
        if not compare_digest(given.encode(), expected.encode()):
            error = {"error": "invalid_client", "error_description": "Client Authentication failed"}
            return JSONResponse(error, 401)
        if (await request.body()) != b"grant_type=client_credentials":
            error = {"error": "unsupported_grant_type", "error_description": "unsupported grant"}
            return JSONResponse(error, 400)
        token = f"A21AA{secrets.token_urlsafe(48)}"
        self._tokens[token] = self._clock() + TOKEN_LIFE
        return JSONResponse(
            {
                "scope": SCOPE,
                "access_token": token,
                "token_type": "Bearer",
                "app_id": "APP-80W284485P519543T",
                "expires_in": TOKEN_LIFE,
                "nonce": secrets.token_urlsafe(16),
            }
        )

    async def json(self, request: Request) -> Json:
        """The body, or nothing while it cannot be read: whoever acts on it says so."""
        try:
            body = json.loads(await request.body() or b"{}")
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}

    async def about(
        self,
        request: Request,
        link: Link | None,
        show: Callable[[Link], Json],
        losable: AnswerCounter | None = None,
    ) -> Response:
        """Answer a call about one link, in the state it is in once the faults had their say."""

        def act() -> Json:
            if link is None:
                raise missing()
            (fresh,) = self._ledger.links(id=link.id)
            return show(fresh)

        return await self.answer(request, link.names if link else (), act, losable)

    async def answer(
        self,
        request: Request,
        names: Sequence[str],
        act: Callable[[], Json],
        losable: AnswerCounter | None = None,
    ) -> Response:
        """Do what was asked about the link known by `names`, its order first, unless refused.

        If a fault says so, a `losable` answer is lost after the deed was done.
        """
        response = await self._judge(request, names, act)
        done = response.status_code < 300
        lost = done and losable is not None and self._faults.loses_answer(names, losable)
        path, order_id = request.url.path, next(iter(names), None)
        status = None if lost else response.status_code
        self._ledger.log_call(self._clock(), request.method, path, status, order_id)
        if lost:
            await cut(request)
        return response

    async def _judge(
        self, request: Request, names: Sequence[str], act: Callable[[], Json]
    ) -> Response:
        try:
            self._authenticate(request.headers.get("Authorization", ""))
            with self._working_on(request):
                if refusal := await self._faults.on_call(names):
                    return refused(refusal)
                return self._once(request, await request.body(), act)
        except PayPalError as error:
            return error.response()

    def _authenticate(self, header: str) -> None:
        scheme, _, token = header.partition(" ")
        if scheme != "Bearer" or self._tokens.get(token, 0) <= self._clock():
            raise PayPalError(401)

    def _once(self, request: Request, sent: bytes, act: Callable[[], Json]) -> Response:
        """Under one request id, one deed: 201 the first time, and 200 with the same ever after."""
        key = request.headers.get(KEY)
        if request.method != "POST":
            return JSONResponse(act())
        if request.headers.get("Content-Type", "").partition(";")[0] != "application/json":
            raise PayPalError(400, "MALFORMED_REQUEST")
        if key is None:
            return preferred(request, act(), 201)
        if not 1 <= len(key) <= LONGEST_KEY:
            raise PayPalError(400, "INVALID_STRING_LENGTH", KEY)
        fingerprint = f"{request.url.path}\n".encode() + sent
        if known := self._answers.under(key):
            if known.request != fingerprint:
                raise PayPalError(422, "PAYPAL_REQUEST_ID_PREVIOUSLY_USED")
            return preferred(request, json.loads(known.body), 200)
        answer = act()
        self._answers.keep(key, fingerprint, json.dumps(answer).encode())
        return preferred(request, answer, 201)

    @contextmanager
    def _working_on(self, request: Request) -> Iterator[None]:
        key = request.headers.get(KEY)
        if key in self._in_progress:
            raise PayPalError(409, "PREVIOUS_REQUEST_IN_PROGRESS")
        claim = {key} if key else set()
        self._in_progress |= claim
        try:
            yield
        finally:
            self._in_progress -= claim


def preferred(request: Request, answer: Json, status: int) -> JSONResponse:
    """Little is answered to who does not ask for all of it."""
    if request.headers.get("Prefer") != "return=representation":
        answer = {name: answer[name] for name in MINIMAL}
    return JSONResponse(answer, status)
