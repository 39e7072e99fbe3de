"""What is left on the switch of transfers that are over: legs, a caller in a conference, timers. Pure.

Only what carries the name of a transfer or an attempt of our own database is touched; another hub's never is. What is
older than the index remembers has met its own end by FreeSWITCH's timers.
"""

from functools import partial

from calls.switch import wording
from calls.switch.index import Index
from calls.switch.resync import Seen
from calls.switch.safe import WordingError
from calls.switch.wording import Line


def leftovers(index: Index, seen: Seen) -> list[Line]:
    """The orders that remove them: first callers (home, by their way), then legs, then timers nobody needs any more."""
    over = [followed for followed in index.transfers.values() if followed.over_at]
    inside = [f for f in over if f.caller in seen.members.get(f.conference, {})]
    words = [
        *(partial(wording.out, f.conference, f.caller) for f in inside),
        *(partial(wording.kill, uuid) for uuid in sorted(seen.strays)),
        *(partial(wording.drop_net, f.short_id, stage) for f in over for stage in sorted(f.nets)),
    ]
    lines = []
    for word in words:
        try:
            lines.append(word())
        except WordingError:
            continue
    return lines
