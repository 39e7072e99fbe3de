"""Which points are tried today, and in which stories."""

import datetime
import os

STORIES = {
    "two_attempts": (("presses_2", "presses_1"), "accepted"),
    "rejected": (("presses_2",), "rejected"),
    "accepted": (("presses_1",), "accepted"),
}
"""Temperaments of the agents in turn, and how it ends when nobody dies. The longest first: it shall not be the last."""
PROCESSES = ("switch", "web", "worker")

EVERY = int(os.environ.get("CRASH_EVERY", "5"))
FROM = int(os.environ.get("CRASH_FROM") or datetime.date.today().toordinal() % EVERY + 1)
LANES = int(os.environ.get("CRASH_LANES", "4"))
AS_SET = f"CRASH_EVERY={EVERY} CRASH_FROM={FROM}"
