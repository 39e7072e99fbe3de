"""Between the switch process and the switch: every byte that goes to the Event Socket, kept."""

import asyncio
import contextlib


class Tap:
    """`port` listens; everything is passed on to `to`, what came from the client is also in `sent`."""

    def __init__(self, to: int) -> None:
        self._to = to
        self.sent = bytearray()

    async def __aenter__(self) -> "Tap":
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    @property
    def commands(self) -> list[bytes]:
        """Each with all its lines, as the switch cuts them."""
        return [command for command in bytes(self.sent).split(b"\n\n") if command]

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._to)
        await asyncio.gather(
            self._pass(reader, there_writer, keep=True), self._pass(there_reader, writer), return_exceptions=True
        )

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, keep: bool = False) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                if keep:
                    self.sent += data
                writer.write(data)
                await writer.drain()
        writer.close()
