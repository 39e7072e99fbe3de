"""The worker of `manage.py rqworker` (settings.RQ): RQ's own, which also plans retries and asks for housekeeping."""

import os

from rq import Worker as RQWorker
from rq.exceptions import DuplicateJobError

from calls.demo.orphans import ends_with_parent

HOUSEKEEPING_SECONDS = 300


class Worker(RQWorker):
    """Without its scheduler a worker would never run what it was told to try later, so it always has one."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.maintenance_interval = HOUSEKEEPING_SECONDS

    def work(self, *args, **kwargs) -> bool:
        # A killed worker's scheduler would live on and keep the dead one's socket open: Redis would hand the next job
        # to that, and nobody would have it.
        if ask := ends_with_parent():
            os.register_at_fork(after_in_child=ask)
        return super().work(*args, **(kwargs | {"with_scheduler": True}))

    def run_maintenance_tasks(self) -> None:
        """Called by RQ at the start and then every `maintenance_interval`."""
        super().run_maintenance_tasks()
        try:
            # The result is kept for as long as the pause, so that of several workers only one enqueues it.
            self.queues[0].enqueue(
                "calls.jobs.housekeeping",
                job_id="housekeeping",
                unique=True,
                result_ttl=HOUSEKEEPING_SECONDS - 10,
                failure_ttl=HOUSEKEEPING_SECONDS - 10,
            )
        except DuplicateJobError:
            return
