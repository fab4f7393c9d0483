"""Structured logs on standard error, one JSON object per line, with person data masked whatever slips in.

Ids, codes and counts only. Anything that looks like a CPR is masked recursively; of an exception stand its class and
its places, neither its text nor local variables.
"""

import logging
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

#: ten digits with a possible day and month, with or without hyphen; GLNs (13 digits) and digests do not match
_CPR = re.compile(r"(?<![0-9A-Za-z])(?:0[1-9]|[12][0-9]|3[01])(?:0[1-9]|1[0-2])[0-9]{2}-?[0-9]{4}(?![0-9A-Za-z])")
_MOST_CAUSES, _MOST_FRAMES = 5, 30
#: keys whose values are persons' by their nature
_PRIVATE = frozenset(
    {"cpr", "name", "surname", "given_name", "text", "note", "address", "phone", "email", "body", "data"}
)


def set_up_logging(level: str = "INFO") -> None:
    """Configure structlog, and the standard library's logging (pika, uvicorn, alembic) to the same form."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(places),
        mask,
    ]
    rendering = structlog.processors.JSONRenderer(ensure_ascii=False)
    structlog.configure(
        processors=[*shared, rendering],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[remove, mask, rendering])
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("pika").setLevel(logging.CRITICAL)  # our own links tell of every loss, once


def places(exc_info: structlog.typing.ExcInfo) -> list[dict[str, object]]:
    """Class and places of an exception and of what caused it; never its text, which may quote a message."""
    found: list[dict[str, object]] = []
    error: BaseException | None = exc_info[1]
    while error is not None and len(found) < _MOST_CAUSES:
        frames = traceback.extract_tb(error.__traceback__)[-_MOST_FRAMES:]
        at = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        found.append({"type": type(error).__qualname__, "at": at})
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return found


def mask(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:  # noqa: ANN401  (structlog's form)
    """Mask private keys and anything shaped like a CPR, at any depth."""
    return {key: _masked(key, value) for key, value in event.items()}


def _masked(key: str, value: object) -> object:
    if key in _PRIVATE:
        return "***"
    if isinstance(value, str):
        return _CPR.sub("******-****", value)
    if isinstance(value, Mapping):
        return {k: _masked(str(k), v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked("", item) for item in value]
    return value
