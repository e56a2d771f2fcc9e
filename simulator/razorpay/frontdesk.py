"""What every call goes through: who asks, do faults interfere, and a line in the call log."""

from base64 import b64decode
from collections.abc import Callable, Sequence
from hmac import compare_digest

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from simulator.books import Books
from simulator.connection import cut
from simulator.faults import AnswerCounter
from simulator.razorpay.account import RazorpayAccount
from simulator.razorpay.errors import UNKNOWN_ID, RazorpayError, refused
from simulator.records import Json, Link


class FrontDesk:
    def __init__(self, account: RazorpayAccount, books: Books) -> None:
        self._account = account
        self._ledger, self._faults, self._clock = books.ledger, books.faults, books.clock

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
                raise RazorpayError(UNKNOWN_ID)
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
        self._log(request, names, None if lost else response.status_code)
        if lost:
            await cut(request)
        return response

    async def _judge(
        self, request: Request, names: Sequence[str], act: Callable[[], Json]
    ) -> Response:
        try:
            authenticate(request.headers.get("Authorization", ""), self._account)
            if refusal := await self._faults.on_call(names):
                return refused(refusal)
            return JSONResponse(act())
        except RazorpayError as error:
            return error.response()

    def _log(self, request: Request, names: Sequence[str], status: int | None) -> None:
        path, order_id = request.url.path, next(iter(names), None)
        self._ledger.log_call(self._clock(), request.method, path, status, order_id)


def authenticate(header: str, account: RazorpayAccount) -> None:
    """Raise a 401 unless the header carries the account's key, as HTTP Basic."""
    scheme, _, encoded = header.partition(" ")
    if scheme != "Basic":
        raise RazorpayError("Please provide your api key for authentication purposes.", status=401)
    try:
        key_id, _, secret = b64decode(encoded, validate=True).partition(b":")
    except ValueError:
        key_id = secret = b""
    if not compare_digest(key_id, account.key_id.encode()):
        raise RazorpayError("The api key provided is invalid", status=401)
    if not compare_digest(secret, account.key_secret.encode()):
        raise RazorpayError("The api secret provided is invalid", status=401)
