"""The benchmark of reconciliation in small: what it plants is found; no time is judged here."""

import pytest

from benchmarks.generate import Month, payment_row, refund_row, rows_of
from benchmarks.reconcile import main
from domain.findings import Match

pytestmark = pytest.mark.slow


@pytest.mark.timeout(300)
@pytest.mark.parametrize("engine", ["postgresql", "sqlite"])
async def test_every_planted_difference_is_found(
    engine: str, capsys: pytest.CaptureFixture[str]
) -> None:
    failures = await main(5_000, [engine], strict=False)
    said = capsys.readouterr().out
    assert failures == 0, said
    assert "all 460 planted differences found, and no other" in said


def test_every_class_that_a_file_can_show_is_planted() -> None:
    planted = Month(5_000).planted
    assert set(planted.values()) == {match for match in Match if match.is_finding} - {
        Match.OK_UNPAID
    }


def test_a_row_has_the_columns_of_the_file() -> None:
    month = Month(100)
    for row in (payment_row(month, 1, "pay_1", 100), refund_row(month, 2, "rfnd_1", 100)):
        assert len(row) == 27
    assert len(list(rows_of(month))) == 100
