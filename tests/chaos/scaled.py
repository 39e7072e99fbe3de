"""Runs a process of the product with the switch's lease shortened as the limits are: python -m tests.chaos.scaled …

LIMITS_DIVISOR shortens what a department says; the lease is nobody's setting, so it is shortened here. What follows is
a command line of Python's: `manage.py run_switch`.
"""

import runpy
import sys

LEASE_SECONDS, RENEW_EVERY, MARGIN = 7, 1.5, 1.5  # half of 15, 5, 3: a fifth would be lost to a busy machine


def main() -> None:
    import django

    django.setup()
    from calls.services import outbox
    from calls.switch import lease

    outbox.LEASE_SECONDS = lease.LEASE_SECONDS = LEASE_SECONDS
    lease.RENEW_EVERY, lease.MARGIN = RENEW_EVERY, MARGIN
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
