"""The service, the simulator and the mailbox, as their HTTP clients see them."""

import asyncio
import re
from types import TracebackType
from typing import Any, Self

import httpx

Json = dict[str, Any]
ORDER_ID = re.compile(r"ord_[A-Za-z0-9]+")
TIMEOUT = httpx.Timeout(40, connect=5)


class Problem(Exception):
    """A refusal in the words of its problem+json (RFC 9457); status 503 also where nobody answers.

    `is_final` says that the answer is certain: nothing was done, and repeating is pointless.
    """

    def __init__(self, status: int, title: str, detail: str = "") -> None:
        super().__init__(f"{status} {title}: {detail}" if detail else f"{status} {title}")
        self.status, self.title, self.detail = status, title, detail

    @property
    def is_final(self) -> bool:
        """Whether asking again with the same words is pointless."""
        return self.status < 500 and self.status != 429


class HttpClient:
    """One server; every answer that is not a success is raised as a `Problem`."""

    def __init__(self, base_url: str, key: str = "") -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.AsyncClient(base_url=base_url, headers=headers, timeout=TIMEOUT)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """The answer to one request, status below 400."""
        try:
            response = await self._http.request(method, path, **options)
        except httpx.HTTPError as error:
            raise Problem(503, f"{self._http.base_url} does not answer", repr(error)) from error
        if response.status_code >= 400:
            raise _problem(response)
        return response


class Service(HttpClient):
    """The payment service, with a client's key."""

    async def products(self) -> list[Json]:
        """The catalogue."""
        return list((await self.call("GET", "/products")).json())

    async def create_order(self, body: Json, key: str) -> Json:
        """A new order, or the same again for the same `key` (the Idempotency-Key)."""
        headers = {"Idempotency-Key": key}
        return dict((await self.call("POST", "/orders", json=body, headers=headers)).json())

    async def checkout(self, order_id: str, tries: int = 3) -> Json:
        """Where to pay. While the link is not known yet (202), asks again up to `tries` times."""
        for _ in range(tries):
            answer = await self.call("POST", _path(order_id, "/checkout"))
            if answer.status_code != 202:
                return dict(answer.json())
            await asyncio.sleep(float(answer.headers.get("Retry-After", "1")))
        raise Problem(503, "The payment link is not ready yet", "Please try again in a moment.")

    async def order(self, order_id: str) -> Json:
        """The order as it is now."""
        return dict((await self.call("GET", _path(order_id))).json())

    async def refund(self, order_id: str, body: Json, key: str) -> Json:
        """Send money back, with an operator's key; the same refund for the same `key`."""
        headers = {"Idempotency-Key": key}
        path = _path(order_id, "/refunds")
        return dict((await self.call("POST", path, json=body, headers=headers)).json())

    async def cases(self) -> list[Json]:
        """Every case, the newest first; with an operator's key."""
        return list((await self.call("GET", "/cases", params={"limit": 500})).json())

    async def decide(self, case_id: str, verdict: str, reason: str) -> Json:
        """An operator's word on a case: honour, refund or dismiss."""
        body: Json = {"verdict": verdict, "reason": reason}
        return dict((await self.call("POST", f"/cases/{case_id}", json=body)).json())

    async def reconcile(self, wish: Json) -> str:
        """Compare a gateway's report with the orders, with an operator's key; the run's id."""
        answer = await self.call("POST", "/reconciliations", json=wish)
        return str(answer.json()["run_id"])

    async def bring_file(self, gateway: str, name: str, content: bytes) -> str:
        """Bring a transaction file, with an operator's key; the id of its run."""
        path, query = f"/transaction-files/{gateway}", {"name": name}
        answer = await self.call("POST", path, params=query, content=content)
        return str(answer.json()["run_id"])

    async def reconciliation(self, run_id: str) -> Json:
        """A run as it stands."""
        return dict((await self.call("GET", f"/reconciliations/{run_id}")).json())

    async def cancel(self, order_id: str) -> None:
        """Ask for the order to be canceled; a payment that wins the race still counts."""
        await self.call("POST", _path(order_id, "/cancel"))


class Simulator(HttpClient):
    """The gateway's hosted page as customers use it, and its controls."""

    async def set_faults(self, order_id: str, faults: Json) -> None:
        """What shall go wrong for the order from now on, instead of what was set before."""
        await self.call("PUT", f"/simulator/faults/{order_id}", json=faults)

    async def attempt(self, link: str, outcome: str, method: str, delay: float) -> httpx.Response:
        """Submit the hosted page's form; the answer is not followed."""
        form = {"outcome": outcome, "method": method, "delay": f"{delay:g}"}
        return await self.call("POST", f"{link}/attempts", data=form)

    async def settle(self, payment_id: str, outcome: str) -> None:
        """Let a pending payment end."""
        path = f"/simulator/payments/{payment_id}/settle"
        await self.call("POST", path, json={"outcome": outcome})

    async def pay_out(self) -> list[Json]:
        """Settle all that was captured or refunded and is not settled yet."""
        return list((await self.control("settlements"))["settlements"])

    async def revoke(self, payment_id: str) -> Json:
        """Let the bank take back a captured payment; the merchant is not told."""
        return await self.control(f"payments/{payment_id}/revoke")

    async def file(self, name: str, since: float, until: float, **wrong: object) -> bytes:
        """A gateway's file (`razorpay/settlement-recon.csv`) of what was settled `since`..`until`.

        Both are Unix seconds; `wrong` is what is to be wrong with it: cut, strangers, not_before.
        """
        query = {"from": since, "to": until} | wrong
        return (await self.call("GET", f"/simulator/files/{name}", params=query)).content

    async def control(self, path: str, **body: object) -> Json:
        """Decide for a bank or a customer; the paths are the simulator's."""
        return dict((await self.call("POST", f"/simulator/{path}", json=body)).json())

    async def forge_webhook(self, order_id: str) -> int | None:
        """Send a webhook signed with a wrong secret; the status of the answer, if there was one."""
        answer = await self.call("POST", "/simulator/webhooks/forge", json={"order_id": order_id})
        status: int | None = answer.json()["status_code"]
        return status

    async def ledger(self, order_id: str) -> Json:
        """What the gateway knows of the order: links, payments, events, deliveries."""
        answer = await self.call("GET", "/simulator/ledger", params={"order_id": order_id})
        return dict(answer.json())


class Mailbox(HttpClient):
    """The mail catcher."""

    async def mails(self, order_id: str) -> list[Json]:
        """The mails sent about the order."""
        return list((await self.call("GET", "/messages", params={"order_id": order_id})).json())


def _path(order_id: str, action: str = "") -> str:
    if not ORDER_ID.fullmatch(order_id):
        raise Problem(404, "There is no such order", "Please check the address of this page.")
    return f"/orders/{order_id}{action}"


def _problem(response: httpx.Response) -> Problem:
    try:
        body = response.json()
        wrong = [f"{error['field']}: {error['message']}" for error in body.get("errors") or ()]
        said = "; ".join(wrong) or str(body.get("detail") or "")
        return Problem(response.status_code, str(body["title"]), said)
    except (ValueError, KeyError, TypeError, AttributeError):
        return Problem(response.status_code, response.reason_phrase, response.text[:200])
