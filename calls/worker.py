"""The worker of `manage.py rqworker` (settings.RQ): RQ's own, which also plans retries and asks for housekeeping."""

from rq import Worker as RQWorker
from rq.exceptions import DuplicateJobError

HOUSEKEEPING_SECONDS = 300


class Worker(RQWorker):
    """Without its scheduler a worker would never run what it was told to try later, so it always has one."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.maintenance_interval = HOUSEKEEPING_SECONDS

    def work(self, *args, **kwargs) -> bool:
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
