"""Every setting, from the environment or from files under SECRETS_DIR (/run/secrets)."""

import os
import re
import sys
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn, Self

from pydantic import (
    AfterValidator,
    Field,
    FilePath,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from domain.invoices import Invoicing, Numbering, Seller
from domain.policies import (
    Budget,
    GatewayRule,
    Notices,
    Patience,
    Policies,
    ReconciliationPolicy,
    RepairPolicy,
    Timetable,
)
from setting_types import (
    Address,
    ApiKey,
    DatabaseUrl,
    Delay,
    Mailbox,
    Rule,
    Seconds,
    Series,
    Url,
    Words,
    known_zone,
)

SECRETS = Path(os.environ.get("SECRETS_DIR", "/run/secrets"))
SETTINGS_ARE_WRONG = 2


class Settings(BaseSettings):
    """Times are in seconds. Unset gateway keys mean that this gateway does not exist here.

    PayPal's events are signed by certificates that the roots in `paypal_ca_file` vouch for, by
    default those that connections trust; `paypal_certificates_at` is for the simulator alone.

    The refund budget holds per hour, for automatic refunds alone: how many, and how much in minor
    units of each currency that it names; that of reconciliation holds per run. Transaction files
    are kept under `transaction_files`, and taken in from `transaction_arrivals`, a folder for each
    gateway in it: paths, or any URL that fsspec knows.

    Limits per minute hold in each process, for a key or an address without one; 0 is no limit.

    Invoices name `seller_name`, or else `shop_name`; the tax in each price is one line, or is
    divided evenly among `tax_names`, as between CGST and SGST.
    """

    model_config = SettingsConfigDict(
        secrets_dir=SECRETS if SECRETS.is_dir() else None, hide_input_in_errors=True, frozen=True
    )

    database_url: DatabaseUrl = "sqlite+aiosqlite:///var/run/paidonce.db"
    temporal_address: Address = "127.0.0.1:7233"
    temporal_namespace: str = "default"
    task_queue: str = "paidonce"
    worker_metrics_address: Address | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    public_url: Url = "http://127.0.0.1:8000"
    api_host: str = "127.0.0.1"
    api_port: int = Field(default=8000, ge=1, le=65535)
    api_keys: tuple[ApiKey, ...] = ()
    rate_limit_per_minute: int = Field(default=30_000, ge=0)
    stranger_limit_per_minute: int = Field(default=3_000, ge=0)

    default_gateway: str = "razorpay"
    gateway_rules: tuple[Rule, ...] = ()
    razorpay_key_id: str | None = None
    razorpay_key_secret: SecretStr | None = None
    razorpay_webhook_secrets: tuple[SecretStr, ...] = ()
    razorpay_base_url: Url = "https://api.razorpay.com"
    stripe_secret_key: SecretStr | None = None
    stripe_webhook_secrets: tuple[SecretStr, ...] = ()
    stripe_base_url: Url = "https://api.stripe.com"
    paypal_client_id: str | None = None
    paypal_client_secret: SecretStr | None = None
    paypal_webhook_ids: tuple[str, ...] = ()
    paypal_base_url: Url = "https://api-m.paypal.com"
    paypal_ca_file: FilePath | None = None
    paypal_certificates_at: Url | None = None

    smtp_host: str = "127.0.0.1"
    smtp_port: int = Field(default=1025, ge=1, le=65535)
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_tls: Literal["none", "starttls", "tls"] = "none"
    mail_from: Mailbox = "orders@shop.example"
    shop_name: str = "The shop"
    shop_url: Url = "http://127.0.0.1:8080"

    mail_refunds: bool = True
    mail_doubt: bool = True
    mail_doubt_after: Seconds = 1800
    mail_expiry: bool = False

    seller_name: Words | None = None
    seller_address: tuple[Words, ...] = ()
    seller_tax_id: Words | None = None
    seller_time_zone: Annotated[str, AfterValidator(known_zone)] = "Asia/Kolkata"
    financial_year_starts: int = Field(default=4, ge=1, le=12)
    invoice_series: Series = "INV"
    credit_note_series: Series = "CRN"
    tax_names: tuple[Words, ...] = Field(default=("Tax",), min_length=1, max_length=2)

    link_patience: Seconds = 10
    checkout_window: Seconds = 900
    hint_delays: tuple[Delay, ...] = (0, 2, 5, 10, 20)
    quiet_delays: tuple[Delay, ...] = (120, 300, 600)
    queries_in_window: int = Field(default=6, ge=0)
    slowest_query: Seconds = 6 * 3600
    sweep_interval: Seconds = 30

    late_grace: Delay = 0
    honour_only_at_same_price: bool = True
    refund_budget_count: int = Field(default=20, ge=0)
    refund_budget_minor: dict[str, int] = Field(default={"INR": 5_000_000})
    refund_first_look: Seconds = 30
    refund_slowest_look: Seconds = 6 * 3600
    refund_patience: Seconds = 10 * 86400
    unknown_order_after: Seconds = 600

    reconciliation_interval: Seconds = 4 * 3600
    reconciliation_overlap: Seconds = 2 * 3600
    reconciliation_ageing: Delay = 3600
    settlement_ageing: Delay = 2 * 86400
    reconciliation_budget_count: int = Field(default=50, ge=0)
    reconciliation_budget_minor: dict[str, int] = Field(default={"INR": 10_000_000})
    transaction_files: str = "var/run/transactions"
    transaction_arrivals: str | None = None

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if bool(self.razorpay_key_id) != bool(self.razorpay_key_secret):
            raise ValueError("RAZORPAY_KEY_ID and RAZORPAY_KEY_SECRET go together")
        if bool(self.paypal_client_id) != bool(self.paypal_client_secret):
            raise ValueError("PAYPAL_CLIENT_ID and PAYPAL_CLIENT_SECRET go together")
        if self.gateways and self.default_gateway not in self.gateways:
            raise ValueError(f"DEFAULT_GATEWAY {self.default_gateway} has no keys")
        named = {name for rule in self.gateway_rules for name in rule.gateways}
        if unknown := named - self.gateways.keys():
            raise ValueError(f"GATEWAY_RULES names {', '.join(sorted(unknown))}, without keys")
        if self.reconciliation_overlap < self.reconciliation_ageing:
            raise ValueError("RECONCILIATION_OVERLAP must not be shorter than its AGEING")
        if any(delay >= self.checkout_window for delay in self.quiet_delays):
            raise ValueError("QUIET_DELAYS must lie within CHECKOUT_WINDOW")
        if len({key.sha256 for key in self.api_keys}) < len(self.api_keys):
            raise ValueError("API_KEYS has the same key twice")
        if len({key.name for key in self.api_keys}) < len(self.api_keys):
            raise ValueError("API_KEYS has the same name twice")
        if bool(self.smtp_username) != bool(self.smtp_password):
            raise ValueError("SMTP_USERNAME and SMTP_PASSWORD go together")
        if self.invoice_series == self.credit_note_series:
            raise ValueError("INVOICE_SERIES and CREDIT_NOTE_SERIES must differ")
        return self

    @property
    def gateways(self) -> dict[str, dict[str, Any]]:
        """The options of each gateway that has keys, by its name."""
        return {**self._razorpay, **self._stripe, **self._paypal}

    @property
    def _razorpay(self) -> dict[str, dict[str, Any]]:
        if not (self.razorpay_key_id and self.razorpay_key_secret):
            return {}
        razorpay = {
            "key_id": self.razorpay_key_id,
            "key_secret": self.razorpay_key_secret.get_secret_value(),
            "webhook_secrets": _told(self.razorpay_webhook_secrets),
            "base_url": self.razorpay_base_url,
        }
        return {"razorpay": razorpay}

    @property
    def _stripe(self) -> dict[str, dict[str, Any]]:
        if not self.stripe_secret_key:
            return {}
        stripe = {
            "secret_key": self.stripe_secret_key.get_secret_value(),
            "webhook_secrets": _told(self.stripe_webhook_secrets),
            "base_url": self.stripe_base_url,
        }
        return {"stripe": stripe}

    @property
    def _paypal(self) -> dict[str, dict[str, Any]]:
        if not (self.paypal_client_id and self.paypal_client_secret):
            return {}
        paypal = {
            "client_id": self.paypal_client_id,
            "client_secret": self.paypal_client_secret.get_secret_value(),
            "webhook_ids": list(self.paypal_webhook_ids),
            "base_url": self.paypal_base_url,
            "certificates_at": self.paypal_certificates_at,
            "ca": self.paypal_ca_file.read_text() if self.paypal_ca_file else None,
        }
        return {"paypal": paypal}

    @property
    def policies(self) -> Policies:
        """For workflows that are yet to start; those that run keep what they began with."""
        patience = Patience(
            first=timedelta(seconds=self.refund_first_look),
            slowest=timedelta(seconds=self.refund_slowest_look),
            longest=timedelta(seconds=self.refund_patience),
        )
        grace = timedelta(seconds=self.late_grace)
        return Policies(
            timetable=self._timetable,
            repair=RepairPolicy(grace, self.honour_only_at_same_price, patience),
            budget=Budget(self.refund_budget_count, self.refund_budget_minor),
            refund_patience=patience,
            gateway_rules=tuple(GatewayRule(**rule.model_dump()) for rule in self.gateway_rules),
            notices=Notices(
                timedelta(seconds=self.mail_doubt_after) if self.mail_doubt else None,
                self.mail_expiry,
            ),
            reconciliation=self._reconciliation,
        )

    @property
    def invoicing(self) -> Invoicing:
        """For invoices that are yet to be written; those that are keep what they say."""
        return Invoicing(
            Seller(self.seller_name or self.shop_name, self.seller_address, self.seller_tax_id),
            Numbering(
                self.invoice_series,
                self.credit_note_series,
                self.financial_year_starts,
                self.seller_time_zone,
            ),
            self.tax_names,
        )

    @property
    def _reconciliation(self) -> ReconciliationPolicy:
        return ReconciliationPolicy(
            every=timedelta(seconds=self.reconciliation_interval),
            overlap=timedelta(seconds=self.reconciliation_overlap),
            ageing=timedelta(seconds=self.reconciliation_ageing),
            settlement_ageing=timedelta(seconds=self.settlement_ageing),
            budget=Budget(self.reconciliation_budget_count, self.reconciliation_budget_minor),
        )

    @property
    def _timetable(self) -> Timetable:
        return Timetable(
            window=timedelta(seconds=self.checkout_window),
            hint_delays=tuple(timedelta(seconds=delay) for delay in self.hint_delays),
            quiet_delays=tuple(timedelta(seconds=delay) for delay in self.quiet_delays),
            queries_in_window=self.queries_in_window,
            slowest=timedelta(seconds=self.slowest_query),
        )


def load(needs: Iterable[Literal["gateways", "api_keys"]] = ()) -> Settings:
    """The settings, or one line on stderr that says what is wrong, and exit code 2."""
    try:
        settings = Settings()
    except ValidationError as error:
        _refuse("; ".join(_complaint(detail) for detail in error.errors()))
    except SettingsError as error:
        name = re.search(r'field "(\w+)"', str(error))
        _refuse(f"{name[1].upper() if name else 'a setting'}: is not valid JSON")
    if "gateways" in needs and not settings.gateways:
        _refuse(
            "no gateway has keys: set RAZORPAY_KEY_ID and RAZORPAY_KEY_SECRET, STRIPE_SECRET_KEY,"
            " or PAYPAL_CLIENT_ID and PAYPAL_CLIENT_SECRET"
        )
    if "api_keys" in needs and not settings.api_keys:
        _refuse("API_KEYS is empty: nobody could call the API")
    return settings


def _told(secrets: Iterable[SecretStr]) -> list[str]:
    return [secret.get_secret_value() for secret in secrets]


def _complaint(detail: Any) -> str:
    name = ".".join(str(part) for part in detail["loc"])
    text = detail["msg"].removeprefix("Value error, ")
    return f"{name.upper()}: {text}" if name else text


def _refuse(what: str) -> NoReturn:
    sys.stderr.write(f"paidonce: {what}\n")
    sys.exit(SETTINGS_ARE_WRONG)
