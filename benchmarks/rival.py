"""`python -m benchmarks.rival FILE ORDERS`: DuckDB does the bare load and join of the same data.

Both files into tables, and then one full outer join that says for every reference on either side
whether the other has it, in the same amount and currency. Nothing else: no checks of the rows, no
times, no repeats, no findings that anybody could read later.

Once into a database in a file, which outlives the process, as what we stage must; and once into
memory alone.
"""

import json
import os
import sys
import tempfile
import time

import duckdb

LOAD = """
CREATE TABLE {table} AS SELECT * FROM read_csv('{path}', header = true, all_varchar = true)
"""
JOIN = """
CREATE TABLE differences AS
SELECT coalesce(t.entity_id, o.fulfilling_reference) AS reference,
    CASE WHEN o.order_id IS NULL THEN 'missing in orders'
    WHEN t.entity_id IS NULL THEN 'missing at the gateway'
    WHEN t.currency <> o.currency THEN 'currency'
    ELSE 'amount' END AS difference
FROM (SELECT *, CAST(CAST(amount AS DECIMAL(18, 2)) * 100 AS BIGINT) AS minor
      FROM transactions WHERE transaction_entity = 'payment') AS t
FULL JOIN (SELECT * FROM orders WHERE fulfilling_reference IS NOT NULL) AS o
    ON o.fulfilling_reference = t.entity_id
WHERE o.order_id IS NULL OR t.entity_id IS NULL OR t.currency <> o.currency
    OR t.minor <> CAST(o.amount_minor AS BIGINT)
"""


def measured(file: str, orders: str, database: str) -> dict[str, float]:
    """Seconds of each part."""
    spent = time.process_time()
    with duckdb.connect(database) as connection:
        began = time.perf_counter()
        connection.execute(LOAD.format(table="transactions", path=file))
        loaded = time.perf_counter()
        connection.execute(LOAD.format(table="orders", path=orders))
        ready = time.perf_counter()
        connection.execute(JOIN)
        ended = time.perf_counter()
    times = {"load": loaded - began, "orders": ready - loaded, "join": ended - ready}
    return {**times, "seconds": ended - began, "cpu": time.process_time() - spent}


if __name__ == "__main__":
    file, orders = sys.argv[1:]
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
        kept = measured(file, orders, f"{folder}/rival.duckdb")
    print(json.dumps({"kept": kept, "in memory": measured(file, orders, ":memory:")}))
