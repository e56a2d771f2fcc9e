"""The last runs as a picture: how many disagreements each found, and how many are settled."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.wording import source_of
from db.reconciliation_views import RunView

WIDTH, HEIGHT, GAP = 720, 120, 4
WIDEST = 40


@dataclass(frozen=True)
class Bar:
    """One run: what is still open stands on what is settled."""

    run_id: str
    title: str
    x: float
    width: float
    settled: float
    still_open: float
    is_this: bool

    @property
    def settled_from(self) -> float:
        return HEIGHT - self.settled

    @property
    def open_from(self) -> float:
        return HEIGHT - self.settled - self.still_open


@dataclass(frozen=True)
class Chart:
    """`most` is what the full height stands for."""

    bars: list[Bar]
    most: int
    width: int = WIDTH
    height: int = HEIGHT


def chart_of(runs: Sequence[RunView], this: str | None = None) -> Chart:
    """The oldest first."""
    most = max((run.findings for run in runs), default=0)
    step = min(WIDTH / max(len(runs), 1), WIDEST + GAP)
    scale = HEIGHT / (most or 1)
    bars = [
        Bar(
            run_id=run.run_id,
            title=_title(run),
            x=round(at * step, 2),
            width=round(step - GAP, 2),
            settled=round(run.settled * scale, 2),
            still_open=round((run.findings - run.settled) * scale, 2),
            is_this=run.run_id == this,
        )
        for at, run in enumerate(runs)
    ]
    return Chart(bars, most)


def _title(run: RunView) -> str:
    when = f"{run.began_at:%d %b %Y, %H:%M} UTC"
    return f"{when}, {source_of(run)}: {run.findings} found, {run.settled} settled"
