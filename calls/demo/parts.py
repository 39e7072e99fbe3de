"""Which processes make up the demo, with which addresses, and how each shows that it does its work.

A part that the environment already names (REDIS_URL, FREESWITCH_HOST, OPENAI_API_KEY, OMNIPLAY_URL) is not started: the
product then talks to that address, and nothing else changes.
"""

import json
import shutil
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
from redis import Redis
from rq import Worker

from calls.demo import valkey
from calls.demo.esl import EventSocket
from calls.demo.ports import free_port
from calls.demo.supervisor import Part
from calls.simulator.phonebook import phonebook
from transferhub import env

LOCAL = "127.0.0.1"


@dataclass(frozen=True)
class Esl:
    """Where the Event Socket is."""

    host: str
    port: int
    password: str

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"


class Plan:
    """The parts in three tiers, each needing the one before: `storage`, `outside` (the simulated world), `ours`."""

    def __init__(self, var: Path, secrets: Mapping[str, str], host: str, port: int, extra: Mapping[str, str]):
        """`extra`: environment for the product's processes only (LIMITS_DIVISOR …). Raises valkey.NoValkey."""
        self._var = var
        self.url = url_of(host, port)
        self.environment: dict[str, str] = {
            "DJANGO_SETTINGS_MODULE": "transferhub.settings",
            "TRANSFERHUB_VAR_DIR": str(var),
            "TMPDIR": str(_emptied(var / "tmp")),
            # Empty: the files are served from where they are. Never `var` itself, whose secrets would be served.
            "STATIC_ROOT": str(_emptied(var / "static")),
            "PYTHONUNBUFFERED": "1",
            "SECRET_KEY": env.secret("SECRET_KEY") or secrets["secret_key"],
            "AUDIO_BASE_URL": env.text("AUDIO_BASE_URL") or self.url.replace("http://", "ws://"),
        }
        self.storage = self._storage()
        self.simulates_switch = not env.text("FREESWITCH_HOST")
        self.outside = [*self._switch(secrets), *self._realtime(secrets), *self._omniplay(secrets)]
        self.ours = product(host, port, self.redis_url, self.environment | dict(extra))

    def _storage(self) -> list[Part]:
        self.redis_url = env.secret("REDIS_URL")
        if self.redis_url:
            return []
        valkey.stop_left_over(self._var / "valkey")
        command, self.redis_url = valkey.configure(self._var / "valkey", persist=True)
        self.environment["REDIS_URL"] = self.redis_url

        async def healthy(part: Part) -> bool:
            return valkey.answers(self.redis_url)

        return [Part("valkey", command, healthy)]

    def _switch(self, secrets: Mapping[str, str]) -> list[Part]:
        if not self.simulates_switch:
            port = env.integer("FREESWITCH_PORT", 8021, least=1)
            self.esl = Esl(env.text("FREESWITCH_HOST"), port, env.secret("FREESWITCH_PASSWORD", "ClueCon"))
            return []
        self.esl = Esl(LOCAL, free_port(), secrets["esl_password"])
        self.environment |= {
            "FREESWITCH_HOST": self.esl.host,
            "FREESWITCH_PORT": str(self.esl.port),
            "FREESWITCH_PASSWORD": self.esl.password,
            "FREESWITCH_DOMAIN": "lab",
        }
        book = self._var / "phonebook.json"
        book.write_text(json.dumps(phonebook(), ensure_ascii=False, indent=1), encoding="utf-8")
        arguments = ["--port", str(self.esl.port), "--password", self.esl.password, "--phonebook", str(book)]

        async def healthy(part: Part) -> bool:
            esl = await EventSocket.connect(self.esl.host, self.esl.port, self.esl.password)
            await esl.close()
            return True

        return [self._simulated("simulated-switch", "switch", arguments, healthy)]

    def _realtime(self, secrets: Mapping[str, str]) -> list[Part]:
        if env.secret("OPENAI_API_KEY"):
            return []
        port = free_port()
        self.environment |= {
            "OPENAI_API_KEY": secrets["openai_api_key"],
            "OPENAI_REALTIME_URL": f"ws://{LOCAL}:{port}/v1/realtime",
        }

        async def healthy(part: Part) -> bool:
            return await _status(f"http://{LOCAL}:{port}/v1/realtime") > 0  # refused without a key: it is up

        return [self._simulated("simulated-realtime", "realtime", ["--port", str(port)], healthy)]

    def _omniplay(self, secrets: Mapping[str, str]) -> list[Part]:
        if env.text("OMNIPLAY_URL"):
            return []
        port = free_port()
        url = f"http://{LOCAL}:{port}"
        self.environment |= {"OMNIPLAY_URL": url, "OMNIPLAY_TOKEN": secrets["omniplay_token"]}

        async def healthy(part: Part) -> bool:
            return await _status(f"{url}/tickets") > 0

        return [self._simulated("simulated-omniplay", "omniplay", ["--port", str(port)], healthy)]

    def _simulated(self, name: str, module: str, arguments: list[str], healthy) -> Part:
        command = [sys.executable, "-m", f"calls.simulator.{module}", "--host", LOCAL, *arguments]
        return Part(name, command, healthy, self.environment, signal.SIGINT)


def product(host: str, port: int, redis_url: str, environment: Mapping[str, str]) -> list[Part]:
    """The three processes that make up TransferHub: "web", "switch", "worker"."""
    url = url_of(host, port)
    uvicorn = ["-m", "uvicorn", "transferhub.asgi:application", "--host", host, "--port", str(port)]
    uvicorn += ["--ws", "calls.voice.server:AudioProtocol", "--ws-per-message-deflate", "false", "--loop", "uvloop"]
    uvicorn += ["--no-access-log", "--log-level", "warning", "--timeout-graceful-shutdown", "1"]

    async def web_is_healthy(part: Part) -> bool:
        return await _status(f"{url}/healthz") == 200

    async def switch_is_healthy(part: Part) -> bool:
        async with httpx.AsyncClient(timeout=5, trust_env=False, verify=False) as client:
            parts = (await client.get(f"{url}/readyz")).json()["parts"]
        switches = [state for name, state in parts.items() if name.startswith("switch:")]
        return "ok" in switches

    async def worker_is_healthy(part: Part) -> bool:
        with Redis.from_url(redis_url, retry=valkey.ONE_TRY) as connection:
            return any(worker.pid == part.pid for worker in Worker.all(connection))

    def ours(name: str, arguments: list[str], healthy, stop: signal.Signals = signal.SIGTERM) -> Part:
        return Part(name, [sys.executable, *arguments], healthy, environment, stop)

    return [
        ours("web", uvicorn, web_is_healthy, signal.SIGINT),  # at once: nobody on the telephone is real
        ours("switch", ["manage.py", "run_switch"], switch_is_healthy),
        ours("worker", ["manage.py", "rqworker", "--with-scheduler", "default"], worker_is_healthy),
    ]


def url_of(host: str, port: int) -> str:
    """Where a person on this machine reaches a server that listens on `host`."""
    return f"http://{LOCAL if host in ('0.0.0.0', '::') else host}:{port}"


async def _status(url: str) -> int:
    async with httpx.AsyncClient(timeout=2, trust_env=False, verify=False) as client:
        return (await client.get(url)).status_code


def _emptied(folder: Path) -> Path:
    """A folder for temporary files: what a killed run left there goes."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
