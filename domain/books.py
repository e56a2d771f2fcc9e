"""What reconciliation needs of the world, as Protocols."""

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import BinaryIO, Protocol

from domain.findings import Answer, Finding, Page, RepairState, Tally
from domain.policies import Budget
from domain.reconciliations import Approval, ReconciliationPlan, RunState
from domain.settlements import Chunk, TransactionFile


class Files(Protocol):
    """Transaction files as they arrived, kept under the sha256 of their bytes."""

    async def keep(self, gateway: str, name: str, content: AsyncIterator[bytes]) -> TransactionFile:
        """Keep it as it streams in; durable when this returns. The same bytes are kept once."""

    async def arrived(self, gateway: str) -> list[TransactionFile]:
        """Take in what lies in the merchant's folder; every file that is there, kept."""

    def open(self, file: TransactionFile) -> AbstractContextManager[BinaryIO]:
        """The kept bytes, from the first on; `seek` works. Raises `FileNotFoundError`."""


class Books(Protocol):
    """Files staged, compared with the orders, and what was found. Every write may be repeated."""

    async def begin(self, plan: ReconciliationPlan, at: datetime) -> None:
        """Record the run, once."""

    async def cursor(self, plan: ReconciliationPlan) -> tuple[str, int]:
        """Where the load of this run's rows stands: the adapter's cursor, and how many there are.

        Raises `AlreadyLoaded`, with the number of rows, once the last chunk of it was staged.
        """

    async def stage(self, plan: ReconciliationPlan, chunk: Chunk) -> int:
        """Add a chunk and move the cursor, in one transaction; how many rows there are now.

        A chunk that was staged before is not staged again.
        """

    async def refuse(self, plan: ReconciliationPlan, why: str, at: datetime) -> None:
        """Drop what was staged of the load, and say in the run why."""

    async def match(self, plan: ReconciliationPlan, at: datetime) -> list[Tally]:
        """Compare all rows with the orders and record what is found, in place of what was before.

        Raises `FileRefused` if the rows of a settlement do not add up to its total.
        """

    async def next_page(self, run_id: str, budget: Budget | None) -> Page:
        """The first planned findings that fit the budget; None is without limit.

        Those that move no money by themselves come first.
        """

    async def page(self, run_id: str, last: str) -> list[Finding]:
        """The planned findings up to and with the last, in the order of `next_page`."""

    async def handed_over(
        self, finding_id: str, state: RepairState, note: str, at: datetime
    ) -> None:
        """What became of a finding; the note is a word or two for the report."""

    async def answered(self, finding_id: str, answer: Answer, at: datetime) -> None:
        """What the gateway said of it."""

    async def proceed(self, run_id: str, state: RunState, at: datetime) -> None:
        """The run is in this state from now on; `done` is the end."""

    async def approve(self, run_id: str, approval: Approval, at: datetime) -> None:
        """Keep an operator's approval, with the reason."""
