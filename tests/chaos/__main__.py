"""`make chaos` and `make chaos-long`: many transfers while an adversary kills and cuts the parts; judged by the people.

    python -m tests.chaos [--seed 1] [--transfers 500] [--at-once 25] [--long] [--out var/chaos.json]

On embedded parts, or on PostgreSQL where DATABASE_URL names a server (a database of its own is made there and dropped).
Ends with 1 when a promise was broken; the transfers are named, and the processes' logs stay in var/chaos.
"""

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VAR = ROOT / "var" / "chaos"
LONG_PATIENCE = 420.0


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def prepare() -> None:
    """Django on a database of this run's own."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()


async def main(a: argparse.Namespace) -> int:
    from asgiref.sync import sync_to_async
    from django.db import connection

    from tests.chaos import company, run, schedule
    from tests.chaos.rig import DIVISOR, ChaosStack

    report = run.Report(a.seed, a.transfers, a.at_once)
    divisor = 1 if a.long else DIVISOR
    without = frozenset({"database connections cut"} if connection.vendor == "sqlite" else ())
    async with ChaosStack(a.seed, divisor=divisor, keep=VAR) as stack:
        callings = await sync_to_async(company.prepare)(stack.book, a.transfers, a.seed)
        say(f"{a.transfers} transfers of {len(callings)} calls, {a.at_once} at once, seed {a.seed}")
        blows = schedule.adversary(a.seed, long=a.long, without=without)
        patience = LONG_PATIENCE if a.long else run.PATIENCE
        await run.Run(stack, report, say, divisor).live(callings, blows, patience)
    a.out.parent.mkdir(parents=True, exist_ok=True)
    a.out.write_text(json.dumps(report.as_json(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    say("")
    say(report.table())
    say(f"{'every promise was kept' if report.good else 'PROMISES WERE BROKEN'}; {a.out}")
    return 0 if report.good else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--transfers", type=int, default=500)
    parser.add_argument("--at-once", type=int, default=25)
    parser.add_argument("--long", action="store_true", help="limits of real life, outages of a minute and more")
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "chaos.json")
    arguments = parser.parse_args()
    prepare()
    from django.test.utils import setup_databases, teardown_databases

    made = setup_databases(verbosity=0, interactive=False, aliases={"default"})
    try:
        code = asyncio.run(main(arguments))
    finally:
        teardown_databases(made, verbosity=0)
    sys.exit(code)
