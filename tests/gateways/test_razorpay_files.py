"""Razorpay's settlement file: read exactly, from anywhere in it, or refused with the line."""

import json
import re
from decimal import Decimal
from io import BytesIO
from itertools import chain
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import FileRefused
from domain.money import Money
from gateways.razorpay import Razorpay, files
from tests.gateways.razorpay_rows import (
    COLUMNS,
    chunks_of,
    csv_of,
    entries_of,
    entry,
    payment,
    refund,
)

ORDER, REFUND_ID = "ord_tests", "rfd_abcdefghijklmnopqrstuvwxyz"
SMALL = 400


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chunk every row or two."""
    monkeypatch.setattr(files, "BLOCK", SMALL)


def test_a_row_is_read_to_the_last_paisa(razorpay: Razorpay) -> None:
    (chunk,) = razorpay.read_file(BytesIO(csv_of([payment()])), "")
    assert (chunk.entries, chunk.totals, chunk.is_last) == ([entry()], (), True)


def test_a_refund_takes_its_amount_and_its_fee_away() -> None:
    notes = json.dumps({"refund_id": REFUND_ID, "order_id": ORDER})
    fast = {"fee (exclusive tax)": "5.00", "tax": "0.90", "debit": "504.90"}
    plain, charged = entries_of(csv_of([refund(1, refund_notes=notes), refund(2, **fast)]))
    facts = {"kind": "refund", "status": "succeeded"}
    assert plain == entry(**facts, reference="rfnd_1", our_id=REFUND_ID, fee_minor=0, tax_minor=0)
    assert charged == entry(
        **facts, reference="rfnd_2", position=3, our_id=None, fee_minor=500, tax_minor=90
    )


@pytest.mark.parametrize(
    ("debit", "credit", "fee", "tax", "adds"),
    [
        ("120.00", "0.00", "0.00", "0.00", -12000),
        ("0.00", "120.00", "", "", 12000),
        ("1002.96", "0.00", "2.50", "0.46", -100000),
    ],
)
def test_what_is_neither_has_the_amount_that_it_adds(
    debit: str, credit: str, fee: str, tax: str, adds: int
) -> None:
    for kind in ("adjustment", "transfer", "something new"):
        row = {"debit": debit, "credit": credit, "fee (exclusive tax)": fee, "tax": tax}
        (read,) = entries_of(csv_of([payment(transaction_entity=kind, **row)]))
        assert (read.kind, read.status, read.amount_minor) == ("other", "unknown", adds)


def test_our_order_is_found_in_notes_where_no_receipt_leads_to_it() -> None:
    notes = json.dumps({"order_id": ORDER, "said": 'a "quote"\nand a line'})
    rows = [
        payment(order_receipt="", order_notes=notes),
        payment(order_receipt="", payment_notes=notes),
        payment(order_receipt="", payment_notes="[]", order_notes="{order_id"),
        payment(order_notes=notes),
    ]
    read = [(each.order_reference, each.our_id) for each in entries_of(csv_of(rows))]
    assert read == [(None, ORDER), (None, ORDER), (None, None), ("receipt1", None)]


def test_what_is_not_settled_yet_has_no_settlement() -> None:
    (read,) = entries_of(csv_of([payment(settlement_id="", settled_at="", payment_method="")]))
    assert read == entry(settlement_id=None, settled_at=None, method=None)


def test_times_are_those_of_india_in_either_way_of_writing() -> None:
    for text in ("03/11/2026 09:05:07", "2026-11-03 09:05:07", "2026-11-03T09:05:07"):
        assert entries_of(csv_of([payment(entity_created_at=text)])) == [entry()]


@pytest.mark.parametrize(
    ("currency", "amount", "credit", "minor"),
    [("JPY", "1800", "1800", 1800), ("KWD", "1.250", "1.250", 1250), ("USD", "5", "5.0", 500)],
)
def test_amounts_have_the_decimals_of_their_currency(
    currency: str, amount: str, credit: str, minor: int
) -> None:
    row = {"fee (exclusive tax)": "", "tax": "", "debit": "", "amount": amount, "credit": credit}
    yen, rupees = entries_of(csv_of([payment(currency=currency, **row), payment()]))
    assert (yen.amount_minor, yen.currency, yen.fee_minor) == (minor, currency, 0)
    assert rupees == entry(position=3)


@given(
    currency=st.sampled_from(["INR", "JPY", "KWD"]),
    amount=st.integers(1, 10**14),
    fee=st.integers(0, 10**9),
    tax=st.integers(0, 10**9),
)
def test_every_amount_is_read_as_it_was_meant(
    currency: str, amount: int, fee: int, tax: int
) -> None:
    sums = {
        "amount": amount,
        "fee (exclusive tax)": fee,
        "tax": tax,
        "credit": max(amount - fee - tax, 0),
        "debit": max(fee + tax - amount, 0),
    }
    texts = {name: Money(minor, currency).major_text() for name, minor in sums.items()}
    (read,) = entries_of(csv_of([payment(currency=currency, **texts)]))
    assert (read.amount_minor, read.fee_minor, read.tax_minor) == (amount, fee, tax)


@given(text=st.text(alphabet="0123456789.,-+ _eE٣", max_size=8))
def test_no_amount_is_guessed(text: str) -> None:
    row = {"fee (exclusive tax)": "", "tax": "", "amount": text, "credit": text}
    content = csv_of([payment(**row)])
    if re.fullmatch(r"[0-9]+(\.[0-9]{1,2})?", text) and Decimal(text):
        assert entries_of(content)[0].amount_minor == Decimal(text) * 100
        return
    with pytest.raises(FileRefused, match="line 2"):
        entries_of(content)


@given(
    names=st.permutations([*COLUMNS, "a_column_of_tomorrow"]),
    end=st.sampled_from(["\n", "\r\n"]),
    mark=st.sampled_from(["", "\ufeff"]),
    loud=st.booleans(),
)
def test_columns_are_found_by_name_whatever_the_ends_of_lines(
    names: list[str], end: str, mark: str, loud: bool
) -> None:
    content = csv_of([payment(1), payment(2)], names, end)
    if loud:
        head, _, rest = content.partition(b"\n")
        content = head.upper() + b"\n" + rest
    expected = [entry(), entry(reference="pay_2", position=3)]
    assert entries_of(mark.encode() + content) == expected


@pytest.mark.usefixtures("small_blocks")
def test_reading_goes_on_where_any_chunk_ended() -> None:
    notes = '{"said": "over\nthree\nlines"}'
    rows = [payment(number, entity_description=notes * (number % 3)) for number in range(40)]
    content = b"\xef\xbb\xbf" + csv_of(rows, end="\r\n")
    chunks = chunks_of(content)
    assert len(chunks) > 10
    assert [chunk.is_last for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    for number, chunk in enumerate(chunks[:-1], 1):
        assert chunks_of(content, chunk.cursor) == chunks[number:]
    entries = list(chain.from_iterable(chunk.entries for chunk in chunks))
    assert [each.reference for each in entries] == [f"pay_{number}" for number in range(40)]
    text = content.decode("utf-8-sig").split("\n")
    assert all(f"{each.reference}," in text[each.position - 1] for each in entries)


def test_one_block_or_many_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [payment(number, entity_description="\n" * (number % 2)) for number in range(1200)]
    whole = entries_of(csv_of(rows))
    monkeypatch.setattr(files, "BLOCK", SMALL)
    assert entries_of(csv_of(rows)) == whole
    assert len(whole) == 1200


def test_no_rows_are_a_file_too() -> None:
    (chunk,) = chunks_of(csv_of([]))
    assert (chunk.entries, chunk.is_last) == ([], True)


WRONG_ROWS = [
    ({"amount": "499.005"}, "INR has 2 decimals"),
    ({"amount": "499,00"}, "not an amount"),
    ({"amount": "4.99e2"}, "not an amount"),
    ({"amount": "₹499.00"}, "not an amount"),
    ({"amount": "499.01"}, "do not follow"),
    ({"credit": "487.22"}, "do not follow"),
    ({"debit": "0.01"}, "do not follow"),
    ({"fee (exclusive tax)": "11.77"}, "do not follow"),
    ({"amount": "-499.00", "credit": "-510.77"}, "of nothing"),
    ({"currency": "inr"}, "three capital letters"),
    ({"currency": ""}, "three capital letters"),
    ({"currency": "JPY"}, "JPY has 0 decimals"),
    ({"entity_id": ""}, "without an id"),
    ({"entity_id": "x" * 65}, "without an id"),
    ({"entity_created_at": ""}, "without a time"),
    ({"entity_created_at": "31/02/2026 10:00:00"}, "day"),
    ({"entity_created_at": "11/25/2026 10:00:00"}, "month"),
    ({"entity_created_at": "03/11/2026 24:00:00"}, "not a day and a time"),
    ({"entity_created_at": "03/11/26 10:00:00"}, "not a day and a time"),
    ({"settled_at": "yesterday"}, "not a day and a time"),
    ({"arn": "a\0b"}, "NUL"),
    ({"arn": "x" * 200_000}, "field larger"),
]


@pytest.mark.parametrize(("changes", "why"), WRONG_ROWS)
def test_a_bad_row_is_refused_with_its_line(changes: dict[str, str], why: str) -> None:
    good = [payment(1, entity_description="over\ntwo lines"), refund(), payment(3)]
    content = csv_of([*good, payment(4, **changes), payment(5)])
    with pytest.raises(FileRefused, match=f"^line 6: .*{why}") as refused:
        chunks_of(content)
    assert refused.value.line == 6


def test_a_bad_line_in_a_great_many_is_found() -> None:
    rows = [payment(number) for number in range(30_000)]
    at = Random(4).randrange(15_000, 30_000)
    rows[at]["tax"] = "1.78"
    with pytest.raises(FileRefused) as refused:
        chunks_of(csv_of(rows))
    assert refused.value.line == at + 2


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_row_of_another_width_is_refused(number: int) -> None:
    lines = csv_of([payment(), payment(), payment()]).splitlines(keepends=True)
    for wrong in (b"payment,pay_9\n", b"\n", lines[number][:-1] + b",\n"):
        broken = [*lines[:number], wrong, *lines[number + 1 :]]
        with pytest.raises(FileRefused, match="columns instead of 27") as refused:
            chunks_of(b"".join(broken))
        assert refused.value.line == number + 1


@pytest.mark.parametrize("name", ["amount", "settlement_id", "fee (exclusive tax)", "credit"])
def test_every_column_that_is_read_must_be_there_once(name: str) -> None:
    without = [each for each in COLUMNS if each != name]
    for columns, why in ((without, "no column"), ([*COLUMNS, name], "two columns")):
        with pytest.raises(FileRefused, match=why) as refused:
            chunks_of(csv_of([payment()], columns))
        assert refused.value.line == 1


def test_fees_that_may_include_their_tax_are_not_read() -> None:
    columns = ["fee" if name.startswith("fee") else name for name in COLUMNS]
    with pytest.raises(FileRefused, match="no column 'fee"):
        chunks_of(csv_of([payment()], columns))


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_off_is_refused_at_its_last_line(share: float) -> None:
    content = csv_of([payment(number, entity_description="a\nb") for number in range(20)])
    cut = content[: int(len(content) * share)].removesuffix(b"\n")
    with pytest.raises(FileRefused) as refused:
        chunks_of(cut)
    assert refused.value.line in (cut.count(b"\n"), cut.count(b"\n") + 1)


def test_a_last_line_without_its_end_may_lack_more_than_that() -> None:
    content = csv_of([payment(1), payment(2)]).removesuffix(b"\n")
    with pytest.raises(FileRefused, match="line 3: cut off"):
        chunks_of(content)


def test_a_quote_that_is_never_closed_is_refused_where_it_opens() -> None:
    rows = [payment(number) for number in range(20_000)]
    lines = csv_of(rows).splitlines(keepends=True)
    lines[7] = lines[7].replace(b"Razorpay", b'"Razorpay')
    with pytest.raises(FileRefused, match="quote that is not closed") as refused:
        chunks_of(b"".join(lines))
    assert refused.value.line == 8


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", 1),
        (b"\n", 1),
        (b"\0" * 5000, 1),
        (b"x" * 3_000_000, 1),
        (b"<html><body>Log in</body></html>\n", 1),
        (csv_of([payment()]).replace(b",", b";"), 1),
        (csv_of([payment()]).decode().encode("utf-16"), 1),
        (csv_of([payment(), payment(arn="naïve")]).decode().encode("latin-1"), 3),
        (csv_of([payment(), payment()]).replace(b"\n", b"\r"), 1),
        (csv_of([payment(), payment(arn="x\ry")]).replace(b'"', b""), 3),
    ],
)
def test_what_is_no_such_file_is_refused(content: bytes, line: int) -> None:
    with pytest.raises(FileRefused) as refused:
        chunks_of(content)
    assert refused.value.line == line


@given(content=st.binary(max_size=2000))
def test_whatever_comes_is_refused_and_not_stumbled_over(content: bytes) -> None:
    head = csv_of([])
    for wrong in (content, head + content):
        try:
            read = entries_of(wrong)
        except FileRefused:
            continue
        assert read == []
