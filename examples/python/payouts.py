#!/usr/bin/env python3
"""Credits the rewards that softstake pays in a ledger in SQLite, each once, and acknowledges them.

    SOFTSTAKE_TOKEN=… payouts.py https://stake.example.com ledger.db

It needs nothing but Python, and may be stopped and started at any time.
"""

import json
import os
import sqlite3
import sys
import time
import urllib.error
import urllib.request
import uuid
from decimal import Decimal

ATTEMPTS = 5


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """The token goes to the server that was named, and nowhere else."""

    def redirect_request(self, *_):
        return None


SERVER = urllib.request.build_opener(NoRedirect)


def ask(url, body=None):
    """Makes a request, and again where that may help: under the same key, so that it has an effect once."""
    headers = {"Authorization": "Bearer " + os.environ["SOFTSTAKE_TOKEN"]}
    data = None
    if body is not None:
        headers |= {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
        data = json.dumps(body).encode()
    for attempt in range(1, ATTEMPTS + 1):
        request = urllib.request.Request(url, data, headers)
        try:
            with SERVER.open(request, timeout=60) as response:
                return json.load(response)
        except urllib.error.HTTPError as refusal:
            wait = int(refusal.headers.get("Retry-After") or 2**attempt)
            if refusal.code not in (408, 429, 500, 502, 503, 504) or attempt == ATTEMPTS:
                sys.exit(f"{url}: {refusal.code} {refusal.read().decode()}")
        except (urllib.error.URLError, TimeoutError) as broken:
            wait = 2**attempt
            if attempt == ATTEMPTS:
                sys.exit(f"{url}: {broken}")
        time.sleep(wait)


def credit(ledger, page):
    """Credits a page of payouts, and keeps how far it has read, in one transaction. Amounts are decimal texts."""
    with ledger:
        for payout in page["payouts"]:
            new = ledger.execute("INSERT OR IGNORE INTO credits (payout) VALUES (?)", (payout["id"],)).rowcount
            if not new:
                continue
            account = (payout["account"], payout["asset"])
            row = ledger.execute("SELECT amount FROM balances WHERE account = ? AND asset = ?", account).fetchone()
            amount = Decimal(row[0] if row else 0) + Decimal(payout["amount"])
            ledger.execute("INSERT OR REPLACE INTO balances VALUES (?, ?, ?)", (*account, f"{amount:f}"))
        ledger.execute("UPDATE payouts_read SET next = ?", (page["next"],))


def acknowledge(url, ledger):
    """Acknowledges what is credited and not acknowledged yet, by the ledger's own number of the credit."""
    while rows := ledger.execute("SELECT id, payout FROM credits WHERE NOT acknowledged ORDER BY id LIMIT 1000").fetchall():
        answer = ask(url + "/v1/payouts/acknowledgements",
                     {"acknowledgements": [{"payout": payout, "transaction": f"credit-{id}"} for id, payout in rows]})
        for result in answer["acknowledgements"]:
            if result["status"] == "refused":
                sys.exit(f"{result['payout']}: {result['problem']['detail']}")
        with ledger:
            ledger.executemany("UPDATE credits SET acknowledged = TRUE WHERE id = ?", [(id,) for id, _ in rows])


def main(url, path):
    ledger = sqlite3.connect(path)
    ledger.executescript("""
        CREATE TABLE IF NOT EXISTS balances (account TEXT, asset TEXT, amount TEXT NOT NULL, PRIMARY KEY (account, asset));
        CREATE TABLE IF NOT EXISTS credits (id INTEGER PRIMARY KEY, payout TEXT UNIQUE, acknowledged BOOLEAN DEFAULT FALSE);
        CREATE TABLE IF NOT EXISTS payouts_read (next INTEGER NOT NULL);
        INSERT INTO payouts_read SELECT 0 WHERE NOT EXISTS (SELECT * FROM payouts_read);
    """)
    more, count = True, 0
    while more:
        (after,) = ledger.execute("SELECT next FROM payouts_read").fetchone()
        page = ask(f"{url}/v1/payouts?after={after}&limit=1000")
        credit(ledger, page)
        more, count = page["more"], count + len(page["payouts"])
    acknowledge(url, ledger)
    print(f"read {count} payouts")


if __name__ == "__main__":
    if len(sys.argv) != 3 or "SOFTSTAKE_TOKEN" not in os.environ:
        sys.exit("usage: SOFTSTAKE_TOKEN=TOKEN payouts.py URL LEDGER.db")
    main(sys.argv[1].rstrip("/"), sys.argv[2])
