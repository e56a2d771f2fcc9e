"""All that runs on one machine, and what each process is told."""

import json
import sys
from pathlib import Path

from local_stack.keys import api_keys
from local_stack.ports import HOST
from local_stack.stack import Stack
from local_stack.supervisor import Service

SHOP_NAME = "The Corner Shop"
SEARCH_ATTRIBUTES = {
    "OrderStatus": "Keyword",
    "Gateway": "Keyword",
    "AmountMinor": "Int",
    "Currency": "Keyword",
}


def services(stack: Stack) -> list[Service]:
    """In the order they start: each is ready before the next one begins."""
    database = _database(stack)
    return [
        Service("temporal", _dev_server(stack), {}, "Temporal UI:"),
        Service(
            "simulator", _python("-m", "simulator"), _simulator(stack), _simulator_health(stack)
        ),
        Service("mailbox", _python("-m", "demo.mailbox"), _mailbox(stack), stack.url("MAILBOX")),
        Service("schema", _python("-m", "db", "upgrade"), database, None),
        Service("catalogue", _python("-m", "db", "seed"), database, None),
        Service("worker", _python("worker.py"), _worker(stack), "worker ready"),
        Service("api", _python("-m", "api"), _api(stack), f"{stack.url('API')}/readyz"),
        Service("shop", _python("-m", "demo.shop"), _shop(stack), stack.url("SHOP")),
    ]


def _python(*argv: str) -> list[str]:
    return [sys.executable, *argv]


def _dev_server(stack: Stack) -> list[str]:
    """Temporal with its UI: it keeps its state in a file and calls nobody."""
    ports = stack.ports
    pragmas = ("journal_mode=WAL", "synchronous=NORMAL")
    return [
        f"{Path(sys.executable).parent / 'temporal'}",
        *("server", "start-dev", "--ip", HOST, "--log-level", "error", "--ui-disable-news-fetch"),
        *("--port", f"{ports['TEMPORAL_PORT']}", "--ui-port", f"{ports['TEMPORAL_UI_PORT']}"),
        *("--db-filename", f"{stack.folder / 'temporal.db'}"),
        *(f"--sqlite-pragma={pragma}" for pragma in pragmas),
        *(f"--search-attribute={name}={kind}" for name, kind in SEARCH_ATTRIBUTES.items()),
    ]


def _database(stack: Stack) -> dict[str, str]:
    return {"DATABASE_URL": f"sqlite+aiosqlite:///{stack.folder.absolute() / 'paidonce.db'}"}


def _merchant(stack: Stack) -> dict[str, str]:
    """Our accounts at the gateways, known to both sides."""
    return {
        "RAZORPAY_KEY_ID": stack.keys["razorpay_key_id"],
        "RAZORPAY_KEY_SECRET": stack.keys["razorpay_key_secret"],
        "STRIPE_SECRET_KEY": stack.keys["stripe_secret_key"],
        "PAYPAL_CLIENT_ID": stack.keys["paypal_client_id"],
        "PAYPAL_CLIENT_SECRET": stack.keys["paypal_client_secret"],
    }


def _simulator(stack: Stack) -> dict[str, str]:
    return {
        **_merchant(stack),
        "SIMULATOR_PORT": f"{stack.ports['SIMULATOR_PORT']}",
        "SIMULATOR_STATE": f"{stack.folder.absolute() / 'simulator.db'}",
        "RAZORPAY_WEBHOOK_SECRET": stack.keys["razorpay_webhook_secret"],
        "RAZORPAY_WEBHOOK_URL": f"{stack.url('API')}/webhooks/razorpay",
        "STRIPE_WEBHOOK_SECRETS": stack.keys["stripe_webhook_secret"],
        "STRIPE_WEBHOOK_URL": f"{stack.url('API')}/webhooks/stripe",
        "PAYPAL_WEBHOOK_ID": stack.keys["paypal_webhook_id"],
        "PAYPAL_WEBHOOK_URL": f"{stack.url('API')}/webhooks/paypal",
    }


def _simulator_health(stack: Stack) -> str:
    return f"{stack.url('SIMULATOR')}/simulator/healthz"


def _mailbox(stack: Stack) -> dict[str, str]:
    return {
        "SMTP_PORT": f"{stack.ports['SMTP_PORT']}",
        "MAILBOX_PORT": f"{stack.ports['MAILBOX_PORT']}",
        "MAILBOX_STATE": f"{stack.folder.absolute() / 'mailbox.db'}",
    }


def _ours(stack: Stack) -> dict[str, str]:
    """What the worker and the API share."""
    return {
        **_database(stack),
        **_merchant(stack),
        "RAZORPAY_WEBHOOK_SECRETS": json.dumps([stack.keys["razorpay_webhook_secret"]]),
        "RAZORPAY_BASE_URL": stack.url("SIMULATOR"),
        "STRIPE_WEBHOOK_SECRETS": json.dumps([stack.keys["stripe_webhook_secret"]]),
        "STRIPE_BASE_URL": f"{stack.url('SIMULATOR')}/stripe",
        "PAYPAL_WEBHOOK_IDS": json.dumps([stack.keys["paypal_webhook_id"]]),
        "PAYPAL_BASE_URL": f"{stack.url('SIMULATOR')}/paypal",
        "PAYPAL_CERTIFICATES_AT": f"{stack.url('SIMULATOR')}/paypal",
        "PAYPAL_CA_FILE": f"{stack.folder.absolute() / 'paypal-ca.pem'}",
        "TEMPORAL_ADDRESS": stack.address("TEMPORAL"),
        "PUBLIC_URL": stack.url("API"),
        "SHOP_NAME": SHOP_NAME,
        "SHOP_URL": stack.url("SHOP"),
        "SELLER_ADDRESS": json.dumps(["12 Market Street", "Bengaluru 560001", "India"]),
        "SELLER_TAX_ID": "GSTIN 29ABCDE1234F1Z5",
        "TAX_NAMES": json.dumps(["CGST", "SGST"]),
        "SMTP_HOST": HOST,
        "SMTP_PORT": f"{stack.ports['SMTP_PORT']}",
        "TRANSACTION_FILES": f"{stack.folder.absolute() / 'transactions'}",
        "TRANSACTION_ARRIVALS": f"{stack.folder.absolute() / 'arrivals'}",
        **stack.settings,
    }


def _worker(stack: Stack) -> dict[str, str]:
    return {**_ours(stack), "WORKER_METRICS_ADDRESS": stack.address("WORKER_METRICS")}


def _api(stack: Stack) -> dict[str, str]:
    port = f"{stack.ports['API_PORT']}"
    return {**_ours(stack), "API_HOST": HOST, "API_PORT": port, "API_KEYS": api_keys(stack.keys)}


def _shop(stack: Stack) -> dict[str, str]:
    """The only process of the machine that holds a key of the API in the clear."""
    return {
        "SHOP_PORT": f"{stack.ports['SHOP_PORT']}",
        "SHOP_NAME": SHOP_NAME,
        "API_URL": stack.url("API"),
        "API_KEY": stack.keys["client"],
        "MAILBOX_URL": stack.url("MAILBOX"),
    }
