"""Reads for those who look at reconciliations; each from one snapshot."""

from db.engine import Database
from db.reconciliation_views import FindingView, RunView, SettlementView
from db.unbroken import unbroken_calls
from domain.reconciliations import Match


@unbroken_calls
class ReconciliationReads:
    """Whoever is asked for by an id raises `RunNotFound`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self, run_id: str) -> RunView:
        raise NotImplementedError

    async def runs(
        self, gateway: str | None = None, limit: int = 50, after: str | None = None
    ) -> tuple[RunView, ...]:
        """The newest first; `after` is the run that ended the page before."""
        raise NotImplementedError

    async def history(self, gateway: str, limit: int = 30) -> tuple[RunView, ...]:
        """The gateway's last runs that were matched and not dry, the oldest first."""
        raise NotImplementedError

    async def findings(
        self,
        run_id: str,
        match: Match | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> tuple[FindingView, ...]:
        """In the order in which they are repaired; `after` is the finding that ended the page."""
        raise NotImplementedError

    async def settlements(self, run_id: str) -> tuple[SettlementView, ...]:
        """Those that the run's rows were settled in, the newest first."""
        raise NotImplementedError
