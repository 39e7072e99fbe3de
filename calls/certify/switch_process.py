"""`python -m calls.certify.switch_process MARK`: manage.py run_switch, with loopback legs in place of extensions."""

import asyncio
import signal
import sys
from functools import partial

import django


async def _run(mark: str) -> None:
    from asgiref.sync import sync_to_async

    from calls.certify.legs import agent_leg
    from calls.switch.chosen import choose, password_of
    from calls.switch.runner import SwitchProcess

    switch = await sync_to_async(choose)()
    process = SwitchProcess(switch, password_of(switch), trial_leg=partial(agent_leg, mark))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, process.stop)
    await process.run()


if __name__ == "__main__":
    django.setup()
    asyncio.run(_run(sys.argv[1]))
