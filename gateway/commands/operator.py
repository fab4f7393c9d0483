"""Who runs a command."""

import getpass
import os


def operator() -> str:
    """The operating system's user; a container's user may have no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
