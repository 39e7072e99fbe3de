"""greenswitch's InboundESL with its traps cured. Lives on one thread of its own, inside that thread's gevent hub.

greenswitch 0.0.19 as it is: decodes before it splits (a caller's name becomes headers), parses job bodies as headers,
hangs for ever when the socket closes while a command waits, spins at EOF inside a body, dies on bytes that are no
UTF-8 and on a stray reply, knows no time limits but for TCP's connect, and lets a newline in an argument send a second
command. What is kept of it: the connection, the handshake, and the queue of commands that wait for their replies.
What replaces the rest is tested trap by trap in tests/switch/test_traps.py.
"""

import logging
from collections.abc import Callable
from typing import Any

import gevent
from gevent import socket
from gevent.event import AsyncResult
from gevent.lock import RLock
from greenswitch import InboundESL

from calls.switch.parsing import Block, BlockReader, ProtocolError, SwitchEvent, parse_event

log = logging.getLogger(__name__)

READ_SIZE = 65536


class SwitchGone(Exception):
    """No connection, or none any more; what was under way has no answer. `str()` is a short word for logs."""


class WrongPassword(SwitchGone):
    """FreeSWITCH refused the password; trying again soon is useless."""


class _TooSlow(Exception):
    """Raised by gevent.Timeout, which itself would be a BaseException and slip through every `except Exception`."""


class HardenedESL(InboundESL):
    """One connection, used once: after it has ended a new object is needed.

    `on_event(event)` and `on_end(reason)` are called in the hub's thread and must not block; on_end comes exactly
    once, before everything that waits fails.
    """

    def __init__(
        self,
        host: str,
        port: int,
        password: str,
        *,
        timeout: float,
        on_event: Callable[[SwitchEvent], None],
        on_end: Callable[[str], None],
    ) -> None:
        super().__init__(host, port, password, timeout)
        self._reader = BlockReader()
        self._sending = RLock()
        self._on_event = on_event
        self._on_end = on_end
        self._ended = False
        self._reason = ""
        self.sock: socket.socket | None = None

    # ------------------------------------------------------------ beginning and end
    def connect(self) -> None:
        """TCP, greeting and password, all within `timeout`. Raises SwitchGone and leaves nothing behind."""
        try:
            with gevent.Timeout(self.timeout, _TooSlow):
                self._connect()
        except _TooSlow:
            self.end("handshake timed out")
            raise SwitchGone("handshake timed out") from None
        except SwitchGone as error:
            self.end(str(error))
            raise
        except OSError as error:
            self.end("connection failed")
            raise SwitchGone(f"connection failed: {error.strerror or type(error).__name__}") from None

    def _connect(self) -> None:
        self.sock = socket.create_connection((self.host, self.port))  # IPv6 too
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self.connected = True
        self._receive_events_greenlet = gevent.spawn(self.receive_events)
        self._auth_request_event.wait()
        if not self.connected:
            raise SwitchGone("closed before the greeting")
        self.authenticate()

    def authenticate(self) -> None:
        try:
            reply = self.send(f"auth {self.password}").reply
        except ValueError:
            reply = ""  # a password that is no line cannot be right
        if not reply.startswith("+OK"):
            raise WrongPassword("wrong password")

    def end(self, reason: str) -> None:
        """Close the socket and fail everything that waits. May be called from anywhere in the hub, and twice."""
        if self._ended:
            return
        self._ended, self._reason = True, reason
        self._run = self.connected = False
        self._auth_request_event.set()
        if self.sock is not None:
            self.sock.close()
        self._on_end(reason)
        waiting, self._commands_sent = self._commands_sent, []
        for answer in waiting:
            answer.set_exception(SwitchGone(reason))

    def stop(self) -> None:
        self.end("closed by us")

    # ------------------------------------------------------------ sending
    def post(self, text: str, answer: Any) -> None:
        """Send one command; its reply goes to `answer.set(block)`, its failure to `answer.set_exception(error)`.

        `text` may have header lines behind the first, but no empty line: that would begin a second command.
        """
        if "\n\n" in text or text.startswith("\n") or text.endswith("\n") or "\r" in text or "\0" in text:
            answer.set_exception(ValueError("a command of several"))
            return
        with self._sending:  # the queue's order is the wire's order
            if not self.connected:
                answer.set_exception(SwitchGone(self._reason or "not connected"))
                return
            self._commands_sent.append(answer)
            try:
                with gevent.Timeout(self.timeout, _TooSlow):
                    self.sock.sendall(f"{text}\n\n".encode())
            except _TooSlow:
                self.end("sending timed out")
            except OSError:
                self.end("sending failed")

    def send(self, data: str) -> Block:
        """As greenswitch's: waits for the reply. Raises SwitchGone, ValueError."""
        answer = AsyncResult()
        self.post(data, answer)
        return answer.get()

    # ------------------------------------------------------------ receiving
    def receive_events(self) -> None:
        reason = "closed by the switch"
        try:
            while self._run:
                data = self.sock.recv(READ_SIZE)
                if not data:
                    if self._reader.inside:
                        reason = "closed inside a message"
                    break
                for block in self._reader.feed(data):
                    self.handle_event(block)
        except OSError:
            reason = "connection lost"
        except ProtocolError as error:
            reason = f"protocol: {error}"
        except Exception:
            log.exception("event socket: receiving failed")
            reason = "receiving failed"
        self.end(reason)

    def handle_event(self, block: Block) -> None:
        kind = block.kind
        if kind == "text/event-plain":
            event = parse_event(block)
            if event is not None:
                self._on_event(event)
        elif kind in ("command/reply", "api/response"):
            if self._commands_sent:
                self._commands_sent.pop(0).set(block)
            else:
                log.warning("event socket: a reply nobody waits for")
        elif kind == "auth/request":
            self._auth_request_event.set()
        elif kind in ("text/disconnect-notice", "text/rude-rejection"):
            self.end("refused by the switch's list" if kind == "text/rude-rejection" else "disconnected by the switch")
        # log/data and anything new: not ours

    def process_events(self) -> None:
        """greenswitch's queue of handlers is not used: one slow handler held all others."""
