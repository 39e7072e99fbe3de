"""`python -m calls.certify FOLDER AUDIO_URL CALLS OUTPUT [STORY …]`: what manage.py certify_switch becomes."""

import asyncio
import json
import shutil
import signal
import sys
from pathlib import Path

import django
import uvloop
from django.conf import settings

from calls.certify.certificate import Certificate


async def _main(folder: Path, audio_url: str, calls: int, output: Path, only: list[str]) -> int:
    from calls.certify.run import Run
    from calls.demo.esl import EslError
    from calls.demo.supervisor import PartFailed
    from calls.demo.valkey import NoValkey

    run = Run(folder, audio_url, calls, only, lambda line: print(line, file=sys.stderr, flush=True))  # noqa: T201
    life = asyncio.ensure_future(run.live())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, life.cancel)
    try:
        await life
    except asyncio.CancelledError:
        run.certificate.interrupted = "by hand"
    except (EslError, PartFailed, NoValkey, OSError) as error:  # OSError: TimeoutError too
        run.certificate.interrupted = f"{type(error).__name__}: {error}"
    _write(run.certificate, output)
    return 0 if run.certificate.passed else 1


def _write(certificate: Certificate, output: Path) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(certificate.as_json(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(certificate.text())  # noqa: T201


if __name__ == "__main__":
    django.setup()
    where = Path(sys.argv[1])
    if Path(settings.DATABASES["default"]["NAME"]).parent != where:
        sys.exit("This is not a scratch database: start it as manage.py certify_switch.")
    try:
        status = uvloop.run(_main(where, sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]), sys.argv[5:]))
    finally:
        shutil.rmtree(where, ignore_errors=True)
    sys.exit(status)
