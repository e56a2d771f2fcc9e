"""The part of the payment service's contract that a shop uses, small enough to be read."""

from collections import Counter
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

KEY = "the-client-key"
GATEWAY = "http://127.0.0.1:9/pay"
PRODUCTS = [
    ("coffee-beans", "Coffee beans, 500 g", 49900, "INR"),
    ("mug", "Stoneware mug", 29900, "INR"),
    ("tote", "Canvas tote bag", 19900, "INR"),
    ("electricity-bill", "Electricity bill", 125000, "INR"),
    ("notebook-usd", "Notebook, dotted", 1250, "USD"),
    ("tea-jpy", "Sencha tea", 1800, "JPY"),
]


class FakeService:
    """Orders in memory; `not_yet` checkouts are answered 202 before the link is known."""

    def __init__(self) -> None:
        self.orders: dict[str, dict[str, Any]] = {}
        self.by_key: dict[str, str] = {}
        self.calls: Counter[str] = Counter()
        self.not_yet = 0
        self.broken = False
        self.gateway = GATEWAY
        self.app = self._app()

    def create(self, body: dict[str, Any], key: str) -> Response:
        """Price it, or say what is wrong."""
        if not key:
            return problem(400, "An Idempotency-Key is missing", "Send one.")
        if key in self.by_key:
            return JSONResponse(self.orders[self.by_key[key]], 200)
        (item,) = body["items"]
        product = next((one for one in PRODUCTS if one[0] == item["sku"]), None)
        if product is None:
            return problem(422, "Unknown product", f"There is no product {item['sku']!r}.")
        if item["quantity"] < 1:
            return problem(422, "Quantity must be at least 1", "Order one or more.")
        if "@" not in body["email"]:
            wrong = {"field": "email", "message": "That is not an e-mail address"}
            return problem(422, "Invalid request", "Some fields are wrong.", errors=[wrong])
        order_id = f"ord_{len(self.orders) + 1:026d}"
        self.by_key[key] = order_id
        self.orders[order_id] = self._order(order_id, product, item["quantity"], body)
        return JSONResponse(self.orders[order_id], 201)

    def _order(
        self, order_id: str, product: tuple[str, str, int, str], quantity: int, body: dict[str, Any]
    ) -> dict[str, Any]:
        sku, name, price, currency = product
        line = {"sku": sku, "name": name, "quantity": quantity, "unit_price": price}
        return {
            "order_id": order_id,
            "status": "created",
            "amount": price * quantity,
            "currency": currency,
            "items": [line | {"amount": price * quantity}],
            "payments": [],
            "cases": [],
            "refunds": [],
            "timeline": [],
            "asked": body,
            "result_url": f"http://127.0.0.1:9/orders/{order_id}/result?token=t",
        }

    def _app(self) -> FastAPI:
        app = FastAPI(openapi_url=None)

        @app.middleware("http")
        async def guard(request: Request, call_next: Any) -> Response:
            self.calls[f"{request.method} {request.url.path.split('/')[-1]}"] += 1
            if request.headers.get("Authorization") != f"Bearer {KEY}":
                return problem(401, "Unknown key", "Send a key.")
            if self.broken and request.method == "POST":
                return problem(503, "Temporarily unavailable", "Please try again.")
            answer: Response = await call_next(request)
            return answer

        @app.get("/products")
        async def products() -> list[dict[str, Any]]:
            return [
                {"sku": sku, "name": name, "unit_price": {"amount": price, "currency": currency}}
                for sku, name, price, currency in PRODUCTS
            ]

        @app.post("/orders")
        async def create(request: Request) -> Response:
            body = await request.json()
            return self.create(body, request.headers.get("Idempotency-Key", ""))

        @app.post("/orders/{order_id}/checkout")
        async def checkout(order_id: str) -> Response:
            if self.not_yet:
                self.not_yet -= 1
                return JSONResponse({"order_id": order_id}, 202, {"Retry-After": "0"})
            order = self.orders[order_id]
            if order["status"] == "created":
                order["status"] = "awaiting_payment"
            link = f"{self.gateway}/{order_id}" if order["status"] == "awaiting_payment" else None
            return JSONResponse(order | {"payment_url": link})

        @app.get("/orders/{order_id}")
        async def read(order_id: str) -> Response:
            if order_id not in self.orders:
                return problem(404, "Unknown order", "No order has this id.")
            return JSONResponse(self.orders[order_id])

        return app


def problem(status: int, title: str, detail: str, **more: Any) -> Response:
    """An RFC 9457 answer."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail} | more
    return JSONResponse(body, status, media_type="application/problem+json")
