"""The spool folder: safe names, whole files, its own error. Layout: docs/howto/run-with-a-spool-folder.md."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.errors import SpoolError

_LONGEST_NAME = 200


@contextmanager
def spool_errors() -> Iterator[None]:
    """Trouble with the file system (disk full, read-only, gone) as our own error."""
    try:
        yield
    except OSError as error:
        raise SpoolError(f"the spool folder failed: {type(error).__name__}") from error


def free_name(path: Path, beside: str = "") -> Path:
    """The path itself, or with ``~2``, ``~3`` … before its endings when it or its companion ``beside`` is taken."""
    stem, dot, endings = path.name.partition(".")
    number = 2
    while path.exists() or path.with_name(path.name + beside).exists():
        path = path.with_name(f"{stem}~{number}{dot}{endings}")
        number += 1
    return path


def short_name(name: str, ending: str) -> str:
    """The name itself, or its beginning and its ending: companions and drafts need room below 255 bytes."""
    if len(os.fsencode(name)) <= _LONGEST_NAME:
        return name
    return os.fsencode(name.removesuffix(ending))[:_LONGEST_NAME].decode(errors="ignore") + ending


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that is either there whole and on disk, or not at all: temporary name, fsync, rename, fsync."""
    draft = path.with_name(f".{path.name}.part")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
