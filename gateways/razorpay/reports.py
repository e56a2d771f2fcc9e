"""Razorpay's transaction files and report API."""

from collections.abc import AsyncIterator, Iterator
from typing import BinaryIO

from domain.reconciliations import Period
from domain.settlements import Chunk, Report
from gateways.razorpay.account import Account


class Reports(Account):
    """What Razorpay lists of its own accord."""

    def read_file(self, file: BinaryIO, cursor: str) -> Iterator[Chunk]:
        raise NotImplementedError

    def read_report(self, report: Report, period: Period, cursor: str) -> AsyncIterator[Chunk]:
        raise NotImplementedError
