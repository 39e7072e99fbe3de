"""A receiver of webhooks, a worker that works until something holds, a transfer that changes."""

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import django_rq
from rq import SimpleWorker

from calls import services
from calls.models import WebhookDelivery
from calls.transfer import events


class Receiver(ThreadingHTTPServer):
    """Takes webhooks: `got` holds (headers, body) of each; `status` is what it answers."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status = 200
        self.location = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"

    def bodies(self) -> list[dict]:
        return [json.loads(body) for _, body in self.got]


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers), body))
        self.send_response(self.server.status)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


def work(until=lambda: True, seconds: float = 8) -> None:
    """Let a worker do what is enqueued and due, until the condition holds."""
    ends = time.monotonic() + seconds
    while True:
        django_rq.get_worker("default", worker_class=SimpleWorker).work(
            burst=True, with_scheduler=True, logging_level="ERROR"
        )
        if until():
            return
        assert time.monotonic() < ends, "the jobs did not come to it"
        time.sleep(0.05)


def three_changes(transfer) -> list[int]:
    """parking, returning, ended; the ids of their deliveries."""
    services.apply_event(transfer.pk, events.DeadlinePassed("start"))
    services.apply_event(transfer.pk, events.CancelRequested(events.Source.API))
    services.apply_event(transfer.pk, events.CallerLeft())
    return list(WebhookDelivery.objects.order_by("version").values_list("pk", flat=True))
