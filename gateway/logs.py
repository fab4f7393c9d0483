"""Structured logs on standard error, one JSON object per line, with person data masked whatever slips in.

Ids, codes and counts only. Anything that looks like a CPR is masked recursively; tracebacks carry no local variables.
"""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

#: ten digits with a possible day and month, with or without hyphen; GLNs (13 digits) and digests do not match
_CPR = re.compile(r"(?<![0-9A-Za-z])(?:0[1-9]|[12][0-9]|3[01])(?:0[1-9]|1[0-2])[0-9]{2}-?[0-9]{4}(?![0-9A-Za-z])")
#: keys whose values are persons' by their nature, or (an exception's text) may quote them
_PRIVATE = frozenset(
    {"cpr", "name", "surname", "given_name", "text", "note", "address", "phone", "email", "body", "data"}
)


def set_up_logging(level: str = "INFO") -> None:
    """Configure structlog, and the standard library's logging (pika, uvicorn, alembic) to the same form."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
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
