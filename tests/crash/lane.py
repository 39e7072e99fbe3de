"""What the nursery's first generation is asked for: databases, and lanes in which stories are lived.

A lane is one stack with a database and a Valkey of its own. Several run side by side. Nothing here may be imported
before settings are known but what needs none.
"""

import asyncio
import json
import os
import socket


def databases(asking: socket.socket) -> None:
    """LANES test databases: their names in one line of JSON. They stay while the connection does."""
    import django

    django.setup()
    from django.db import connections
    from django.test.utils import setup_databases, teardown_databases

    connection = connections["default"]
    if not connection.settings_dict["ENGINE"].endswith("sqlite3"):
        connection.settings_dict["TEST"]["NAME"] = f"test_transferhub_crash_{os.getpid()}"
    lanes = [str(number) for number in range(int(os.environ["LANES"]))]
    made = setup_databases(verbosity=0, interactive=False, aliases={"default"})
    connection.close()  # nobody may be in a database while it is copied
    for lane in lanes:
        connection.creation.clone_test_db(lane, verbosity=0)
    with asking.makefile("rw") as file:
        names = [connection.creation.get_test_db_clone_settings(lane)["NAME"] for lane in lanes]
        print(json.dumps(names), file=file, flush=True)
        file.readline()
    for lane in lanes:
        connection.creation.destroy_test_db(suffix=lane, verbosity=0)
    teardown_databases(made, verbosity=0)


def stories(asking: socket.socket) -> None:
    """Lives the points that come over the connection, one line of JSON each, and answers each with what came of it."""
    import django

    django.setup()
    from django.db import connections

    connections["default"].settings_dict["NAME"] = os.environ["LANE_DATABASE"]
    asyncio.run(_stories(asking))


async def _stories(asking: socket.socket) -> None:
    from tests.crash.mortals import MortalStack

    reader, writer = await asyncio.open_unix_connection(sock=asking)
    async with MortalStack() as stack:
        while line := await reader.readline():
            writer.write(json.dumps(await stack.live(**json.loads(line))).encode() + b"\n")
            await writer.drain()
