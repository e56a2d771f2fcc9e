"""What every call goes through: who asks, was it answered before, do faults interfere; one log."""

import json
from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hmac import compare_digest

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from simulator.answers import Answers
from simulator.books import Books
from simulator.connection import cut
from simulator.faults import AnswerCounter
from simulator.records import Json, Link
from simulator.stripe.account import StripeAccount
from simulator.stripe.errors import BUSY, REUSED, StripeError, missing, refused
from simulator.stripe.forms import read_form

KEY = "Idempotency-Key"


class FrontDesk:
    def __init__(self, account: StripeAccount, books: Books) -> None:
        self._account, self._answers = account, Answers(books.db, "stripe", books.clock)
        self._ledger, self._faults, self._clock = books.ledger, books.faults, books.clock
        self._in_progress: set[str] = set()

    async def form(self, request: Request) -> Json:
        """The body, or nothing while it cannot be read: whoever acts on it says so."""
        try:
            return await self.strict_form(request)
        except StripeError:
            return {}

    async def strict_form(self, request: Request) -> Json:
        return read_form(await request.body(), request.headers.get("Content-Type", ""))

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
                raise missing("object", request.path_params.get("id", ""))
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
        done = response.status_code == 200
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
            authenticate(request.headers.get("Authorization", ""), self._account)
            sent = await request.body()
            with self._working_on(request):
                if refusal := await self._faults.on_call(names):
                    return refused(refusal)
                await self.strict_form(request)
                return JSONResponse(self._once(request, sent, act))
        except StripeError as error:
            return error.response()

    def _once(self, request: Request, sent: bytes, act: Callable[[], Json]) -> Json:
        """Under one key, one deed; the same request again gets the same answer."""
        key = request.headers.get(KEY)
        if key is None or request.method != "POST":
            return act()
        fingerprint = f"{request.url.path}\n".encode() + sent
        if known := self._answers.under(key):
            if known.request != fingerprint:
                raise StripeError(REUSED.format(key), kind="idempotency_error")
            before: Json = json.loads(known.body)
            return before
        answer = act()
        self._answers.keep(key, fingerprint, json.dumps(answer).encode())
        return answer

    @contextmanager
    def _working_on(self, request: Request) -> Iterator[None]:
        key = request.headers.get(KEY)
        if key in self._in_progress:
            kind = "idempotency_error"
            raise StripeError(BUSY, status=409, code="idempotency_key_in_use", kind=kind)
        claim = {key} if key else set()
        self._in_progress |= claim
        try:
            yield
        finally:
            self._in_progress -= claim


def authenticate(header: str, account: StripeAccount) -> None:
    """Raise a 401 unless the header carries the key, as a bearer token or as a user's name."""
    scheme, _, token = header.partition(" ")
    if scheme not in ("Bearer", "Basic"):
        raise StripeError("You did not provide an API key.", status=401)
    given = token.encode()
    if scheme == "Basic":
        try:
            given = b64decode(token, validate=True).partition(b":")[0]
        except ValueError:
            given = b""
    if not compare_digest(given, account.secret_key.encode()):
        raise StripeError("Invalid API Key provided.", status=401)
