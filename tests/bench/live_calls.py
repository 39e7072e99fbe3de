"""How long people wait for our part, with many calls at once: the whole product on the wires it has in life.

    python -m tests.bench.live_calls --database sqlite:////tmp/x.sqlite3 [--live 50] [--answers 160]

Web, switch and worker processes as in production, between a simulated FreeSWITCH and the bench's fast Realtime API.
Twice a second a call begins and an agent answers; he listens to an announcement of twenty seconds and says yes, so that
the calls come to be as many as wanted, and twice a second one is put through. First words: from the agent's joining the
conference to the play command of the first clip. Put through: from the response.done that holds the model's
accept_transfer to the caller's unmute. One line of JSON is the result.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

EVERY = 0.5
"""Seconds between two calls."""
STAYS = 25.0
"""Seconds from a call's request to its agent's yes: ringing, the announcement, the yes itself."""
NUMBERS = 3000
AGENT = {"temperament": "accepts", "ring_seconds": 1.5, "talk_seconds": 1, "patience_seconds": 600}
LOCAL = "127.0.0.1"


def environment(folder: Path, database: str) -> dict[str, str]:
    """Of the product, and of this process, which makes its database."""
    return {
        "DJANGO_SETTINGS_MODULE": "transferhub.settings",
        "TRANSFERHUB_VAR_DIR": str(folder),
        "DATABASE_URL": database,
        "REDIS_PREFIX": f"live{os.getpid()}",
        "SECRET_KEY": "of the bench alone",
        "FREESWITCH_HOST": LOCAL,
        "FREESWITCH_PASSWORD": "bench",
        "FREESWITCH_DOMAIN": "lab",
        "OPENAI_API_KEY": "bench",
        "API_REQUESTS_PER_MINUTE": "0",
        "MAX_AUDIO_SESSIONS": "110",
        "LOG_LEVEL": "WARNING",
        "OPENBLAS_NUM_THREADS": "1",
    }


def prepare(calls: int) -> str:
    """The tables, an agent a call; an API key."""
    from django.core.management import call_command

    from calls import services
    from calls.models import Department, Extension

    call_command("migrate", verbosity=0, interactive=False)
    Department.objects.create(slug="bench", name="Bench", is_default=True, decision_seconds=60, total_seconds=600)
    Extension.objects.bulk_create(Extension(number=str(NUMBERS + n), name=f"Agent {n}") for n in range(calls))
    return services.create_api_client("bench")[1]


class Calls:
    """Begins calls."""

    def __init__(self, socket, secretary) -> None:
        self._socket, self._secretary = socket, secretary
        self._count = 0
        self.rooms: dict[int, str] = {}  # number of a call -> its conference

    async def begin(self) -> None:
        from calls.demo.callers import Person, ring_in

        number, self._count = self._count, self._count + 1
        call = await ring_in(self._socket, sim_menu_seconds=1)
        person = Person("Maria", f"quer um orçamento, call-{number}.", "")
        transfer = await self._secretary.ask(call, person, destination=str(NUMBERS + number))
        self.rooms[number] = transfer["conference"]


async def every(seconds: float, times: int, work) -> None:
    """At its own pace, however long one takes."""
    loop = asyncio.get_running_loop()
    began, tasks = loop.time(), []
    for count in range(times):
        await asyncio.sleep(began + count * seconds - loop.time())
        tasks.append(asyncio.create_task(work()))
    await asyncio.gather(*tasks)


async def main(a: argparse.Namespace, folder: Path) -> None:
    import django
    from asgiref.sync import sync_to_async

    os.environ |= environment(folder, a.database)
    django.setup()
    from calls.demo import parts
    from calls.demo.callers import Secretary
    from calls.demo.esl import EventSocket
    from calls.demo.ports import free_port
    from calls.demo.supervisor import Part, Supervisor
    from tests.bench.load import ask
    from tests.bench.rig import prefer
    from tests.bench.wire import STAGES, Wire, first_words, unmuted

    key = await sync_to_async(prepare)(a.live + a.answers)
    (folder / "book.json").write_text(json.dumps({str(NUMBERS + n): AGENT for n in range(a.live + a.answers)}))
    switch, api = free_port(), free_port()

    async def listens(part: Part) -> bool:
        _, writer = await asyncio.open_connection(LOCAL, int(part.command[part.command.index("--port") + 1]))
        writer.close()
        return True

    def module(name: str, *arguments: str) -> list[str]:
        return [sys.executable, "-m", name, *arguments]

    book = ["--password", "bench", "--phonebook", str(folder / "book.json")]
    async with AsyncExitStack() as stack:
        supervisor = Supervisor(folder / "log", lambda line: sys.stderr.write(line + "\n"), restarts=False)
        stack.push_async_callback(supervisor.stop)
        await supervisor.start(
            Part("api", module("tests.bench.fake_openai", "--agrees", "--port", str(api)), listens),
            Part("simulated", module("calls.simulator.switch", "--port", str(switch), *book), listens),
        )
        wire = await stack.enter_async_context(Wire(switch))
        web = free_port()
        ours = {
            "FREESWITCH_PORT": str(wire.port),
            "AUDIO_BASE_URL": f"ws://{LOCAL}:{web}",
            "OPENAI_REALTIME_URL": f"ws://{LOCAL}:{api}/v1/realtime",
        }
        await supervisor.start(*parts.product(LOCAL, web, os.environ["REDIS_URL"], ours))
        for part in supervisor.parts:
            prefer(part.pid)
        socket = await EventSocket.connect(LOCAL, switch, "bench", "CHANNEL_ANSWER")
        stack.push_async_callback(socket.close)
        secretary = await stack.enter_async_context(Secretary(f"http://{LOCAL}:{web}", key))
        calls = Calls(socket, secretary)
        await every(STAYS / a.live, a.live, calls.begin)
        before, began = on_cores(supervisor), time.monotonic_ns()
        await every(EVERY, a.answers, calls.begin)
        spent = {name: used - before[name] for name, used in on_cores(supervisor).items()}
        seconds = (time.monotonic_ns() - began) / 1e9
        accepted = await ask(f"ws://{LOCAL}:{api}/ctl", b"accepted")
        load = os.getloadavg()[0]

    # Those of the steady minute: whoever answered before it is put through in it.
    ramp = {room for number, room in calls.rooms.items() if number < a.live}
    words = [stages for room, stages in first_words(wire).items() if room not in ramp]
    through = unmuted(wire)
    waits = [
        (through[room] - accepted[str(number)]) / 1e6
        for number, room in calls.rooms.items()
        if room in through and accepted.get(str(number), 0) > began
    ]
    result = {
        "database": a.database.partition(":")[0], "live": a.live, "answers": a.answers,
        "first_words": summary([sum(stages) for stages in words]),
        "first_words_stages": {
            name: summary([stages[at] for stages in words])
            for at, name in enumerate(STAGES)
        },
        "put_through": summary(waits),
        "core_percent": {name: round(100 * used / seconds) for name, used in spent.items()},
        "load_average": round(load, 1),
    }  # fmt: skip
    sys.stdout.write(json.dumps(result))


def on_cores(supervisor) -> dict[str, float]:
    """Seconds of a core that each process has used."""
    from tests.bench.load import on_cpu

    return {part.name: on_cpu(part.pid)[0] / 1e9 for part in supervisor.parts} | {"driver": time.process_time()}


def summary(values: list[float]) -> dict[str, float | int | None]:
    """Of milliseconds. p99 of few values is the largest."""
    ordered = sorted(values)
    at = {name: ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else None
          for name, part in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))}  # fmt: skip
    return {"count": len(ordered)} | {name: None if x is None else round(x, 1) for name, x in at.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", required=True)
    parser.add_argument("--live", type=int, default=50)
    parser.add_argument("--answers", type=int, default=160)
    parser.add_argument("--keep", type=Path, help="folder for the logs")
    arguments = parser.parse_args()
    if arguments.keep:
        asyncio.run(main(arguments, arguments.keep))
    else:
        with tempfile.TemporaryDirectory(prefix="transferhub-live-", ignore_cleanup_errors=True) as folder:
            asyncio.run(main(arguments, Path(folder)))
