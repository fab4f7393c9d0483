"""Person data and message bodies on their way into the database and back; encryption will be put here.

Everything that can name or describe a person goes through ``seal``. Keys that must be searched and would reveal a
person (the CPR) are stored as a keyed hash, ``index``.
"""

import hashlib
import hmac
from typing import Protocol

from lz4 import block

_PLAIN, _LZ4 = b"\x00", b"\x01"
#: below this many bytes compression gains nothing
_WORTH_COMPRESSING = 256


class Codec(Protocol):
    """What the store needs of a codec; the second implementation will encrypt."""

    def seal(self, data: bytes) -> bytes:
        """Bytes as they are stored."""

    def open(self, data: bytes) -> bytes:
        """The bytes that ``seal`` was given."""

    def index(self, value: str) -> str:
        """A keyed hash to search by; 32 hex digits."""


class CompressingCodec:
    """Compression and keyed hashes. A leading byte tells the form, so that later forms can stand beside it."""

    def __init__(self, index_key: bytes) -> None:
        self._index_key = index_key

    def seal(self, data: bytes) -> bytes:
        """Compressed where it pays. LZ4: a sixth of what deflate costs, and a third more room (docs/adr/0011)."""
        return _PLAIN + data if len(data) < _WORTH_COMPRESSING else _LZ4 + block.compress(data)

    def open(self, data: bytes) -> bytes:
        """The bytes that were sealed; ``ValueError`` for an unknown form."""
        form, body = data[:1], data[1:]
        if form == _PLAIN:
            return body
        if form == _LZ4:
            opened: bytes = block.decompress(body)
            return opened
        raise ValueError("a stored body has an unknown form")

    def index(self, value: str) -> str:
        """HMAC-SHA-256 with the installation's key, 32 hex digits."""
        return hmac.new(self._index_key, value.encode(), hashlib.sha256).hexdigest()[:32]
