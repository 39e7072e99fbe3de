"""Free ports of this machine."""

import errno
import socket


def free_port(host: str = "127.0.0.1") -> int:
    """A port the operating system has just given out and taken back: nobody listens on it now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there. SO_REUSEADDR as servers set it, else a port in TIME_WAIT seems taken.

    Raises OSError for an address that is not this machine's, or a port that needs more rights.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise
    return True
