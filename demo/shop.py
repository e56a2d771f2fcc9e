"""A small shop: one page, one form. The client key never leaves this side of the wire."""

import asyncio
import json
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from demo.client import Json, Problem, Service
from demo.web import page_app, pages, serve

VISIT = re.compile(r"[A-Za-z0-9_-]{16,64}")


@dataclass(frozen=True)
class Basket:
    """What the form says, as the person typed it. A visit begins when somebody enters the shop."""

    visit: str
    sku: str = ""
    quantity: str = "1"
    email: str = ""

    @classmethod
    def of(cls, form: Mapping[str, Any]) -> "Basket":
        """Read the form; a visit that is not one of ours is replaced."""
        sku, email, visit = (str(form.get(name, "")).strip() for name in ("sku", "email", "visit"))
        quantity = str(form.get("quantity", "1")).strip()
        return cls(visit if VISIT.fullmatch(visit) else new_visit(), sku, quantity, email)

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

    def key(self) -> str:
        """The Idempotency-Key: in one visit the same wish is the same order, however often told.

        Two clicks on Pay make one order, and so does a return with Back; another wish, or another
        visit, makes a new one.
        """
        return sha256(json.dumps([self.visit, self.order()]).encode()).hexdigest()


def new_visit() -> str:
    return secrets.token_urlsafe(24)


class Shop:
    """The shop's page over the service's API."""

    def __init__(self, service: Service, name: str, mailbox_url: str) -> None:
        self._service, self._name, self._mailbox_url = service, name, mailbox_url

    def app(self) -> FastAPI:
        """The page as an application."""
        app = page_app()
        app.state.name, app.state.mailbox_url = self._name, self._mailbox_url
        app.get("/")(self.enter)
        app.post("/pay")(self.pay)
        return app

    async def enter(self, request: Request) -> Response:
        """The visit stands in the address, so that Back leads to the same one."""
        basket = Basket.of(request.query_params)
        if basket.visit != request.query_params.get("visit"):
            return RedirectResponse(f"/?{urlencode({'visit': basket.visit})}", 303)
        return await self._shelf(request, basket)

    async def pay(self, request: Request) -> Response:
        """Off to the gateway's page; an order that is over shows itself at the service's."""
        basket = Basket.of(await request.form())
        try:
            order = await self._service.create_order(basket.order(), basket.key())
            checkout = await self._service.checkout(order["order_id"])
        except Problem as problem:
            return await self._shelf(request, basket, problem)
        return RedirectResponse(checkout["payment_url"] or order["result_url"], 303)

    async def _shelf(
        self, request: Request, basket: Basket, problem: Problem | None = None
    ) -> Response:
        products: list[Json] = []
        try:
            products = await self._service.products()
        except Problem as silence:
            problem = problem or silence
        shown = {"products": products, "basket": basket, "problem": problem}
        status = problem.status if problem else 200
        return pages.TemplateResponse(request, "shop.html", shown, status)


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
