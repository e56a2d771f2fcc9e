"""What the simulator is told when it starts: flags first, then the environment, then defaults."""

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from simulator.paypal.account import PayPalAccount
from simulator.razorpay.account import RazorpayAccount
from simulator.stripe.account import StripeAccount
from simulator.tariff import Tariff
from simulator.webhooks import Backoff

DESCRIPTION = """\
A payment gateway to develop and test against. No real money, no real cards.

It serves Razorpay's API under /v1, Stripe's under /stripe/v1, PayPal's under /paypal, a payment
page a person can use under /pay, and under /simulator what a test needs: faults, the ledger,
settlements and their files, forged webhooks. The root of PayPal's certificates lies beside the
state file, in paypal-ca.pem.
"""
ENVIRONMENT = """\
environment:
  RAZORPAY_KEY_ID          key id the API expects       (rzp_test_simulator)
  RAZORPAY_KEY_SECRET      its secret, signs callbacks  (simulator-key-secret)
  RAZORPAY_WEBHOOK_SECRET  signs webhooks               (simulator-webhook-secret)
  RAZORPAY_WEBHOOK_URL     where webhooks go; none are sent without it
  STRIPE_SECRET_KEY        key the API expects          (sk_test_simulator)
  STRIPE_WEBHOOK_SECRETS   sign webhooks, by commas     (whsec_simulator)
  STRIPE_WEBHOOK_URL       where webhooks go; none are sent without it
  PAYPAL_CLIENT_ID         the app's id                 (simulator-client)
  PAYPAL_CLIENT_SECRET     its secret                   (simulator-client-secret)
  PAYPAL_WEBHOOK_ID        what events are signed for   (SIMULATORWEBHOOK1)
  PAYPAL_WEBHOOK_URL       where webhooks go; none are sent without it

example:
  RAZORPAY_WEBHOOK_URL=http://127.0.0.1:8000/webhooks/razorpay python -m simulator
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    host: str
    port: int
    public_url: str | None
    state: Path
    backoff: Backoff
    tariff: Tariff
    settle_after: float | None
    log_level: str
    razorpay: RazorpayAccount
    stripe: StripeAccount
    paypal: PayPalAccount


def read_settings(arguments: Sequence[str] | None = None) -> Settings:
    """Exit with code 2 and one clear line if a flag makes no sense."""
    flags = parser()
    options = flags.parse_args(arguments)
    razorpay, stripe, paypal = razorpay_account(), stripe_account(), paypal_account()
    for name, url in (
        ("RAZORPAY", razorpay.webhook_url),
        ("STRIPE", stripe.webhook_url),
        ("PAYPAL", paypal.webhook_url),
    ):
        if url and not url.startswith(("http://", "https://")):
            flags.error(f"{name}_WEBHOOK_URL={url!r} is no http or https address")
    return Settings(
        host=options.host,
        port=options.port,
        public_url=options.public_url,
        state=options.state,
        backoff=Backoff(options.retry_base, options.retry_limit),
        tariff=Tariff(options.fee),
        settle_after=options.settle_after,
        log_level=options.log_level,
        razorpay=razorpay,
        stripe=stripe,
        paypal=paypal,
    )


def razorpay_account() -> RazorpayAccount:
    return RazorpayAccount(
        key_id=os.environ.get("RAZORPAY_KEY_ID") or "rzp_test_simulator",
        key_secret=os.environ.get("RAZORPAY_KEY_SECRET") or "simulator-key-secret",
        webhook_secret=os.environ.get("RAZORPAY_WEBHOOK_SECRET") or "simulator-webhook-secret",
        webhook_url=os.environ.get("RAZORPAY_WEBHOOK_URL") or None,
    )


def stripe_account() -> StripeAccount:
    secrets = os.environ.get("STRIPE_WEBHOOK_SECRETS") or "whsec_simulator"
    return StripeAccount(
        secret_key=os.environ.get("STRIPE_SECRET_KEY") or "sk_test_simulator",
        webhook_secrets=tuple(secrets.split(",")),
        webhook_url=os.environ.get("STRIPE_WEBHOOK_URL") or None,
    )


def paypal_account() -> PayPalAccount:
    return PayPalAccount(
        client_id=os.environ.get("PAYPAL_CLIENT_ID") or "simulator-client",
        client_secret=os.environ.get("PAYPAL_CLIENT_SECRET") or "simulator-client-secret",
        webhook_id=os.environ.get("PAYPAL_WEBHOOK_ID") or "SIMULATORWEBHOOK1",
        webhook_url=os.environ.get("PAYPAL_WEBHOOK_URL") or None,
    )


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m simulator",
        description=DESCRIPTION,
        epilog=ENVIRONMENT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_address_flags(made)
    add_state_flag(made)
    add_webhook_flags(made)
    add_settlement_flags(made)
    levels = ("debug", "info", "warning", "error")
    made.add_argument("--log-level", choices=levels, default="info", help="(%(default)s)")
    return made


def add_address_flags(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--host", default="127.0.0.1", metavar="ADDR", help="address to listen on (%(default)s)"
    )
    made.add_argument(
        "--port",
        type=port,
        default=os.environ.get("SIMULATOR_PORT", "8100"),
        metavar="N",
        help="port to listen on, 0 for any free one (SIMULATOR_PORT, %(default)s)",
    )
    made.add_argument(
        "--public-url",
        default=os.environ.get("SIMULATOR_PUBLIC_URL") or None,
        metavar="URL",
        help="how browsers reach it (SIMULATOR_PUBLIC_URL, http://HOST:PORT)",
    )


def add_state_flag(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--state",
        type=Path,
        default=os.environ.get("SIMULATOR_STATE", "var/simulator.db"),
        metavar="FILE",
        help="SQLite file that survives a restart (SIMULATOR_STATE, %(default)s)",
    )


def add_webhook_flags(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--retry-base",
        type=seconds,
        default=1.0,
        metavar="S",
        help="wait after a webhook's first failed delivery, then doubled (%(default)s s)",
    )
    made.add_argument(
        "--retry-limit",
        type=seconds,
        default=300.0,
        metavar="S",
        help="longest wait between two deliveries (%(default)s s)",
    )


def add_settlement_flags(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--fee",
        type=basis_points,
        default="2",
        metavar="%",
        help="percent of a payment that the gateway keeps, GST not included (%(default)s)",
    )
    made.add_argument(
        "--settle-after",
        type=seconds,
        metavar="S",
        help="age at which money is settled by itself; by default only when it is asked for",
    )


def port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port")
    return int(text)


def basis_points(text: str) -> int:
    """Hundredths of a percent."""
    try:
        value = Decimal(text) * 100
        fits = 0 <= value <= 5000 and not value % 1
    except InvalidOperation:
        fits = False
    if not fits:
        raise argparse.ArgumentTypeError(f"{text!r} is no percentage from 0 to 50 with 2 decimals")
    return int(value)


def seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return value
