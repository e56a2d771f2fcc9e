"""A small shop: one page, one form. The client key never leaves this side of the wire."""

import asyncio
import os
import re
import secrets
from dataclasses import dataclass, field, replace
from hashlib import sha256

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from demo.client import Json, Problem, Service
from demo.web import page_app, pages, serve

KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")
CONCLUDED = frozenset({"paid", "failed", "expired", "canceled", "needs_review"})


def new_key() -> str:
    """An Idempotency-Key: one per page shown, so that two clicks on Pay make one order."""
    return secrets.token_urlsafe(24)


@dataclass(frozen=True)
class Basket:
    """What the form says, as the person typed it."""

    sku: str = ""
    quantity: str = "1"
    email: str = ""
    key: str = field(default_factory=new_key)

    @classmethod
    def of(cls, form: FormData) -> "Basket":
        """Read the form; a key that is not one of ours is replaced."""
        values = {name: str(form.get(name, "")).strip() for name in ("sku", "quantity", "email")}
        key = str(form.get("key", ""))
        return cls(**values, key=key if KEY.fullmatch(key) else new_key())

    def order(self) -> Json:
        """The body of `POST /orders`: what and how many, never a price.

        Raises:
            Problem: 422, if the quantity is not a number.
        """
        if not re.fullmatch(r"[0-9]{1,9}", self.quantity):
            raise Problem(422, "How many?", "The quantity must be a whole number, such as 1.")
        guest = sha256(self.email.lower().encode()).hexdigest()[:16]
        items = [{"sku": self.sku, "quantity": int(self.quantity)}]
        return {"user_id": f"guest-{guest}", "email": self.email, "items": items}


class Shop:
    """The shop's pages over the service's API."""

    def __init__(self, service: Service, name: str, mailbox_url: str) -> None:
        self._service, self._name, self._mailbox_url = service, name, mailbox_url

    def app(self) -> FastAPI:
        """The pages as an application."""
        app = page_app()
        app.state.name, app.state.mailbox_url = self._name, self._mailbox_url
        app.get("/")(self.shelf)
        app.post("/pay")(self.pay)
        app.get("/orders/{order_id}")(self.order)
        app.post("/orders/{order_id}/pay")(self.go_on)
        return app

    async def shelf(self, request: Request) -> Response:
        return await self._form(request, Basket())

    async def pay(self, request: Request) -> Response:
        basket = Basket.of(await request.form())
        try:
            order = await self._service.create_order(basket.order(), basket.key)
        except Problem as problem:
            # Only a certain refusal frees the key: after silence the order may exist.
            key = new_key() if problem.is_final else basket.key
            return await self._form(request, replace(basket, key=key), problem)
        return await self.go_on(request, order["order_id"])

    async def go_on(self, request: Request, order_id: str) -> Response:
        """Off to the gateway's page; an order that is over, or has no link yet, shows itself."""
        try:
            checkout = await self._service.checkout(order_id)
        except Problem as problem:
            return await self._order(request, order_id, problem)
        return RedirectResponse(checkout["payment_url"] or f"/orders/{order_id}", 303)

    async def order(self, request: Request, order_id: str) -> Response:
        return await self._order(request, order_id)

    async def _form(
        self, request: Request, basket: Basket, problem: Problem | None = None
    ) -> Response:
        products: list[Json] = []
        try:
            products = await self._service.products()
        except Problem as silence:
            problem = problem or silence
        return _page(request, "shop.html", problem, products=products, basket=basket)

    async def _order(
        self, request: Request, order_id: str, problem: Problem | None = None
    ) -> Response:
        order: Json | None = None
        try:
            order = await self._service.order(order_id)
        except Problem as unknown:
            problem = problem or unknown
        return _page(request, "order.html", problem, order=order, concluded=CONCLUDED)


def _page(request: Request, name: str, problem: Problem | None, **shown: object) -> Response:
    status = problem.status if problem else 200
    return pages.TemplateResponse(request, name, {**shown, "problem": problem}, status)


async def main() -> None:
    """Run until told to stop. Env: SHOP_PORT, SHOP_NAME, API_URL, API_KEY, MAILBOX_URL."""
    port = int(os.environ.get("SHOP_PORT", "8080"))
    name = os.environ.get("SHOP_NAME", "The Corner Shop")
    mailbox_url = os.environ.get("MAILBOX_URL", "http://127.0.0.1:8025")
    api_url = os.environ.get("API_URL", "http://127.0.0.1:8000")
    async with Service(api_url, os.environ.get("API_KEY", "")) as service:
        print(f"shop: http://127.0.0.1:{port}")
        await serve(Shop(service, name, mailbox_url).app(), port)


if __name__ == "__main__":
    asyncio.run(main())
