"""Settings: whatever is wrong is said in one line, without secrets, before anything starts."""

import json
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

import settings
from domain.invoices import Invoicing, Numbering, Seller
from domain.policies import GatewayRule, Notices
from settings import SETTINGS_ARE_WRONG, Settings
from tests.support.programs import running_program

SECRET = "a-secret-nobody-may-see"
DIGEST = sha256(SECRET.encode()).hexdigest()
KEY = {"name": "shop", "role": "client", "sha256": DIGEST}
GOOD = {
    "RAZORPAY_KEY_ID": "rzp_test_1",
    "RAZORPAY_KEY_SECRET": SECRET,
    "API_KEYS": json.dumps([KEY]),
}
DATABASES = "sqlite+aiosqlite:///path/to/file or postgresql+asyncpg://user:password@host/name"


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def told(monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str]) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return settings.load(needs=["gateways", "api_keys"])


def rules(*gateways: str, **rule: Any) -> str:
    """One rule for such gateways."""
    return json.dumps([{"gateways": gateways, **rule}])


def keys(*changes: Mapping[str, str]) -> dict[str, str]:
    return {"API_KEYS": json.dumps([{**KEY, **change} for change in changes])}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"RAZORPAY_KEY_ID": ""}, "RAZORPAY_KEY_ID and RAZORPAY_KEY_SECRET go together"),
        ({"RAZORPAY_KEY_SECRET": ""}, "RAZORPAY_KEY_ID and RAZORPAY_KEY_SECRET go together"),
        (
            {"RAZORPAY_KEY_ID": "", "RAZORPAY_KEY_SECRET": ""},
            "no gateway has keys: set RAZORPAY_KEY_ID and RAZORPAY_KEY_SECRET,"
            " STRIPE_SECRET_KEY, or PAYPAL_CLIENT_ID and PAYPAL_CLIENT_SECRET",
        ),
        (
            {"SELLER_TIME_ZONE": "Mars/Olympus"},
            "SELLER_TIME_ZONE: must be a time zone, like Asia/Kolkata",
        ),
        ({"INVOICE_SERIES": "a/b"}, "INVOICE_SERIES: must look like INV"),
        ({"CREDIT_NOTE_SERIES": "INV"}, "INVOICE_SERIES and CREDIT_NOTE_SERIES must differ"),
        (
            {"TAX_NAMES": "[]"},
            "TAX_NAMES: Tuple should have at least 1 item after validation, not 0",
        ),
        ({"API_KEYS": "[]"}, "API_KEYS is empty: nobody could call the API"),
        ({"API_KEYS": SECRET}, "API_KEYS: is not valid JSON"),
        (
            keys({"sha256": SECRET}),
            "API_KEYS.0.SHA256: String should match pattern '^[0-9a-f]{64}$'",
        ),
        (
            keys({}, {"role": "king", "name": "b"}),
            "API_KEYS.1.ROLE: Input should be 'client' or 'operator'",
        ),
        (keys({}, {"name": "b"}), "API_KEYS has the same key twice"),
        (keys({}, {"sha256": "0" * 64}), "API_KEYS has the same name twice"),
        ({"DEFAULT_GATEWAY": "acme"}, "DEFAULT_GATEWAY acme has no keys"),
        ({"PAYPAL_CLIENT_ID": "app"}, "PAYPAL_CLIENT_ID and PAYPAL_CLIENT_SECRET go together"),
        ({"PAYPAL_CA_FILE": "/nowhere"}, "PAYPAL_CA_FILE: Path does not point to a file"),
        ({"GATEWAY_RULES": rules("paypal")}, "GATEWAY_RULES names paypal, without keys"),
        (
            {"GATEWAY_RULES": rules()},
            "GATEWAY_RULES.0.GATEWAYS: Tuple should have at least 1 item after validation, not 0",
        ),
        (
            {"GATEWAY_RULES": rules("razorpay", currency="rupees")},
            "GATEWAY_RULES.0.CURRENCY: String should match pattern '^[A-Z]{3}$'",
        ),
        (
            {"GATEWAY_RULES": rules("razorpay", atleast=1)},
            "GATEWAY_RULES.0.ATLEAST: Extra inputs are not permitted",
        ),
        ({"RAZORPAY_WEBHOOK_SECRETS": SECRET}, "RAZORPAY_WEBHOOK_SECRETS: is not valid JSON"),
        (
            {"DATABASE_URL": f"mysql://u:{SECRET}@h/d"},
            f"DATABASE_URL: must look like {DATABASES}",
        ),
        (
            {"DATABASE_URL": ""},
            f"DATABASE_URL: must look like {DATABASES}",
        ),
        ({"TEMPORAL_ADDRESS": "temporal"}, "TEMPORAL_ADDRESS: must look like 127.0.0.1:7233"),
        ({"PUBLIC_URL": "pay.shop.example"}, "PUBLIC_URL: must look like https://pay.example"),
        ({"RAZORPAY_BASE_URL": "ftp://x"}, "RAZORPAY_BASE_URL: must look like https://pay.example"),
        ({"SHOP_URL": "javascript:alert(1)"}, "SHOP_URL: must look like https://pay.example"),
        ({"MAIL_FROM": "the shop"}, "MAIL_FROM: must look like orders@shop.example"),
        ({"API_PORT": "0"}, "API_PORT: Input should be greater than or equal to 1"),
        ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL: Input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ({"CHECKOUT_WINDOW": "0"}, "CHECKOUT_WINDOW: Input should be greater than 0"),
        (
            {"CHECKOUT_WINDOW": "inf"},
            "CHECKOUT_WINDOW: Input should be less than or equal to 31536000",
        ),
        ({"CHECKOUT_WINDOW": "60"}, "QUIET_DELAYS must lie within CHECKOUT_WINDOW"),
        ({"HINT_DELAYS": "[-1]"}, "HINT_DELAYS.0: Input should be greater than or equal to 0"),
        ({"HINT_DELAYS": "soon"}, "HINT_DELAYS: is not valid JSON"),
        ({"SMTP_USERNAME": "me"}, "SMTP_USERNAME and SMTP_PASSWORD go together"),
        ({"SMTP_PASSWORD": SECRET}, "SMTP_USERNAME and SMTP_PASSWORD go together"),
        ({"SMTP_TLS": "yes"}, "SMTP_TLS: Input should be 'none', 'starttls' or 'tls'"),
        (
            {"API_PORT": "high", "LINK_PATIENCE": "0"},
            "API_PORT: Input should be a valid integer, unable to parse string as an integer; "
            "LINK_PATIENCE: Input should be greater than 0",
        ),
    ],
)
def test_one_line_and_exit_code_2(
    changes: Mapping[str, str],
    complaint: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        told(monkeypatch, {**GOOD, **changes})
    assert ended.value.code == SETTINGS_ARE_WRONG
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", f"paidonce: {complaint}\n")


def test_what_is_good_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    more = {
        "PUBLIC_URL": "https://pay.shop.example/",
        "RAZORPAY_WEBHOOK_SECRETS": '["new", "old"]',
        "CHECKOUT_WINDOW": "601",
        "HINT_DELAYS": "[0, 1.5]",
    }
    config = told(monkeypatch, GOOD | more)
    assert config.public_url == "https://pay.shop.example"
    assert config.gateways["razorpay"]["webhook_secrets"] == ["new", "old"]
    assert config.policies.timetable.window == timedelta(seconds=601)
    assert config.policies.timetable.hint_delays == (timedelta(), timedelta(seconds=1.5))
    assert [key.name for key in config.api_keys] == ["shop"]


def test_a_gateway_is_there_once_it_has_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    stripe = {"STRIPE_SECRET_KEY": SECRET, "STRIPE_WEBHOOK_SECRETS": '["new", "old"]'}
    config = told(monkeypatch, GOOD | stripe)
    assert list(config.gateways) == ["razorpay", "stripe"]
    assert config.gateways["stripe"] == {
        "secret_key": SECRET,
        "webhook_secrets": ["new", "old"],
        "base_url": "https://api.stripe.com",
    }
    alone = {"RAZORPAY_KEY_ID": "", "RAZORPAY_KEY_SECRET": "", "DEFAULT_GATEWAY": "stripe"}
    assert list(told(monkeypatch, GOOD | stripe | alone).gateways) == ["stripe"]


def test_rules_say_who_is_asked_first_and_who_after(monkeypatch: pytest.MonkeyPatch) -> None:
    paypal = {"PAYPAL_CLIENT_ID": "app", "PAYPAL_CLIENT_SECRET": SECRET}
    more = {"GATEWAY_RULES": rules("paypal", "razorpay", currency="USD", below=100_000)}
    (rule,) = told(monkeypatch, GOOD | paypal | more).policies.gateway_rules
    assert rule == GatewayRule(("paypal", "razorpay"), "USD", below=100_000)


def test_secrets_are_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    more = {"RAZORPAY_WEBHOOK_SECRETS": json.dumps([SECRET]), "SMTP_PASSWORD": SECRET}
    more |= {"STRIPE_WEBHOOK_SECRETS": json.dumps([SECRET]), "STRIPE_SECRET_KEY": SECRET}
    more |= {"PAYPAL_CLIENT_ID": "app", "PAYPAL_CLIENT_SECRET": SECRET}
    config = told(monkeypatch, {**GOOD, **more, "SMTP_USERNAME": "me"})
    assert SECRET not in f"{config!r} {config} {config.model_dump_json()}"


@pytest.mark.parametrize("program", [("-m", "api"), ("worker.py",)])
@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"RAZORPAY_KEY_ID": ""}, "RAZORPAY_KEY_ID and RAZORPAY_KEY_SECRET go together"),
        (
            {"RAZORPAY_KEY_ID": "", "RAZORPAY_KEY_SECRET": ""},
            "no gateway has keys: set RAZORPAY_KEY_ID and RAZORPAY_KEY_SECRET, STRIPE_SECRET_KEY,"
            " or PAYPAL_CLIENT_ID and PAYPAL_CLIENT_SECRET",
        ),
    ],
)
async def test_the_programs_do_not_start(
    program: tuple[str, ...], changes: Mapping[str, str], complaint: str
) -> None:
    async with running_program(*program, env={**GOOD, **changes}) as running:
        assert await running.ended() == SETTINGS_ARE_WRONG
        assert running.said == f"paidonce: {complaint}\n"


async def test_secrets_may_be_files(tmp_path: Path) -> None:
    for name, value in GOOD.items():
        (tmp_path / name.lower()).write_text(f"{value}\n")
    show = "import settings; print(settings.load(needs=['gateways', 'api_keys']).gateways)"
    async with running_program("-c", show, env={"SECRETS_DIR": f"{tmp_path}"}) as running:
        assert await running.ended() == 0
        assert SECRET in running.said


def test_letters_besides_the_confirmation_are_switched(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = told(monkeypatch, GOOD)
    assert usual.mail_refunds
    assert usual.policies.notices == Notices(timedelta(minutes=30), expiry=False)
    other = told(monkeypatch, GOOD | {"MAIL_DOUBT": "false", "MAIL_EXPIRY": "true"})
    assert other.policies.notices == Notices(None, expiry=True)


def test_invoices_name_the_seller_or_else_the_shop(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = told(monkeypatch, GOOD | {"SHOP_NAME": "The Corner Shop"}).invoicing
    assert usual == Invoicing(Seller("The Corner Shop"), Numbering(), ("Tax",))
    changes = {
        "SELLER_NAME": "Corner Shops Ltd",
        "SELLER_ADDRESS": '["12 Market Street", "Bengaluru"]',
        "SELLER_TAX_ID": "GSTIN 29ABCDE1234F1Z5",
        "SELLER_TIME_ZONE": "Europe/London",
        "FINANCIAL_YEAR_STARTS": "1",
        "INVOICE_SERIES": "B",
        "CREDIT_NOTE_SERIES": "C",
        "TAX_NAMES": '["CGST", "SGST"]',
    }
    address = ("12 Market Street", "Bengaluru")
    assert told(monkeypatch, GOOD | changes).invoicing == Invoicing(
        Seller("Corner Shops Ltd", address, "GSTIN 29ABCDE1234F1Z5"),
        Numbering("B", "C", 1, "Europe/London"),
        ("CGST", "SGST"),
    )
