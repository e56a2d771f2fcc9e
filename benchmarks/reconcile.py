"""`make bench-reconcile`: a month of orders against the gateway's file, on both databases.

Fails unless every planted difference is found and nothing else, and every bar is kept: the time
is a multiple of what DuckDB takes for the bare load and join of the same data, before and after,
into a database that it keeps in a file, as we do.
Meanwhile the real API takes webhooks. ROWS sets the size, 1,000,000 unless it says otherwise.
"""

import argparse
import asyncio
import csv
import json
import os
import sys
import tempfile
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlmodel import select

from benchmarks.generate import Month, amount, fill, order_id, payment_id, wire_key, write_file
from benchmarks.webhooks import webhooks_over
from db.engine import Database
from db.files import FileStore
from db.reconciliation_tables import FindingRow
from tests.support.postgres import own_server

BARS = {"postgresql": 4.0, "sqlite": 8.0}
# 200 MB, in the unit in which the system counts.
MOST_MIB = 200e6 / 2**20
SLOWEST_WEBHOOK = 1.0


async def main(rows: int, engines: list[str], strict: bool) -> int:
    failures: list[str] = []
    with tempfile.TemporaryDirectory(prefix="bench-", dir=os.environ.get("BENCH_DIR")) as name:
        folder, month = Path(name), Month(rows)
        file = folder / "file.csv"
        say(f"{rows:,} orders; {write_file(file, month):,} rows, {file.stat().st_size >> 20} MiB")
        kept = await FileStore(f"{folder}/kept").keep("razorpay", file.name, blocks(file))
        export(folder / "orders.csv", month)
        for engine in engines:
            async with database(engine, folder, month) as url:
                # On both sides of ours, since the machine may be busier at one moment than another.
                rivals = [await rival(folder)]
                async with webhooks_over(url, month) as waits:
                    ours = await child("benchmarks.ours", url, f"{folder}/kept", kept.sha256)
                rivals.append(await rival(folder))
                ours |= {"webhooks": len(waits), "slowest": max(waits, default=0.0)}
                wrong = await differences(url, month)
            failures += judged(engine, ours, rivals, wrong, strict)
    for failure in failures:
        say(f"FAILED: {failure}")
    return 1 if failures else 0


def judged(
    engine: str, ours: dict[str, Any], rivals: list[dict[str, Any]], wrong: str, strict: bool
) -> list[str]:
    """Print what was measured; what of it is not as it must be."""
    ratio, bare = (
        ours["seconds"] * len(rivals) / sum(rival[where]["seconds"] for rival in rivals)
        for where in ("kept", "in memory")
    )
    say(
        f"{engine}: load {ours['load']:.2f} s, match {ours['match']:.2f} s, together "
        f"{ours['seconds']:.2f} s = {ratio:.2f} x DuckDB in a file, {bare:.2f} x in memory; "
        "our process: "
        f"{ours['cpu']:.1f} s of processor time, peak {ours['peak_mib']:.0f} MiB; "
        f"slowest of {ours['webhooks']} webhooks {ours['slowest']:.3f} s"
    )
    bars = {
        f"{engine}: {ratio:.2f} x DuckDB, and not {BARS[engine]}": ratio > BARS[engine],
        f"{engine}: {ours['peak_mib']:.0f} MiB of memory": ours["peak_mib"] > MOST_MIB,
        f"{engine}: a webhook took {ours['slowest']:.2f} s": ours["slowest"] > SLOWEST_WEBHOOK,
        f"{engine}: no webhook was sent meanwhile": not ours["webhooks"],
    }
    missed = [name for name, is_missed in bars.items() if is_missed and strict]
    return [*missed, *([f"{engine}: {wrong}"] if wrong else [])]


async def rival(folder: Path) -> dict[str, Any]:
    """What DuckDB takes, here and now."""
    took = await child("benchmarks.rival", f"{folder / 'file.csv'}", f"{folder / 'orders.csv'}")
    for where, parts in took.items():
        say(
            f"DuckDB, {where}: load of the file {parts['load']:.2f} s, of the orders "
            f"{parts['orders']:.2f} s, join {parts['join']:.2f} s, together "
            f"{parts['seconds']:.2f} s; {parts['cpu']:.1f} s of processor time"
        )
    return took


def export(path: Path, month: Month) -> None:
    """The same orders for DuckDB."""
    unpaid = {i for i, match in month.planted.items() if match == "fail_paid"}
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ("order_id", "wire_key", "amount_minor", "currency", "fulfilling_reference")
        )
        for i in range(1, month.orders + 1):
            fulfilling = "" if i % 50 == 0 or i in unpaid else payment_id(i)
            writer.writerow((order_id(i), wire_key(i), amount(i), "INR", fulfilling))


@asynccontextmanager
async def database(engine: str, folder: Path, month: Month) -> AsyncIterator[str]:
    """A database of the month's orders."""
    began = time.perf_counter()
    if engine == "sqlite":
        url = f"sqlite+aiosqlite:///{folder / 'orders.db'}"
        await fill(url, month)
        say(f"sqlite: filled in {time.perf_counter() - began:.0f} s")
        yield url
        return
    async with own_server() as server:
        url = await server.create_database()
        await fill(url, month)
        say(f"postgresql: filled in {time.perf_counter() - began:.0f} s")
        yield url


async def child(module: str, *argv: str) -> dict[str, Any]:
    """What the program measured, in a process of its own."""
    program = (sys.executable, "-m", module, *argv)
    process = await asyncio.create_subprocess_exec(*program, stdout=PIPE)
    said, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{module} failed")
    result: dict[str, Any] = json.loads(said)
    return result


async def differences(url: str, month: Month) -> str:
    """What was found and is not there, or the other way round; nothing if all is as planted."""
    async with Database(url) as database, database.read() as session:
        query = select(FindingRow.match, FindingRow.reference)
        found = {(str(match), name) for match, name in await session.exec(query)}
    expected = month.expected()
    if found == expected:
        say(f"all {len(expected):,} planted differences found, and no other")
        return ""
    missed, false = sorted(expected - found)[:3], sorted(found - expected)[:3]
    return f"missed {len(expected - found)} {missed}, false {len(found - expected)} {false}"


async def blocks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while data := file.read(1024 * 1024):
            yield data


def say(line: str) -> None:
    print(line, flush=True)


def wanted() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=int(os.environ.get("ROWS", "1000000")))
    parser.add_argument("--on", choices=[*BARS], action="append", help="only this database")
    parser.add_argument("--without-bars", action="store_true", help="only what is found counts")
    return parser.parse_args()


if __name__ == "__main__":
    args = wanted()
    sys.exit(asyncio.run(main(args.rows, args.on or [*BARS], not args.without_bars)))
