"""Sending kept reports, oldest day first, and writing down what became of each at once."""

from collections.abc import Callable, Iterator
from datetime import datetime

import structlog

from gateway.outbound.kl_gateway import Answer, KlGateway, Verdict
from gateway.store.reports import DELIVERED, REFUSED, Reports

log = structlog.get_logger()
_STATUSES = {Verdict.DELIVERED: DELIVERED, Verdict.DUPLICATE: DELIVERED, Verdict.REFUSED: REFUSED}


def send(reports: Reports, kl: KlGateway, clock: Callable[[], datetime]) -> Iterator[tuple[str, Answer]]:
    """Put each report that nobody has answered, and yield its id with KL's answer.

    Raises:
        KlGatewayError: GW-207; what was answered is written down, the rest waits for the next time.
    """
    for report_id in reports.waiting():
        answer = kl.put(report_id, reports.get(report_id).body)
        reports.settle(report_id, _STATUSES[answer.verdict], answer.why, clock())
        log.info("report.answered", report=report_id, verdict=answer.verdict.value, why=answer.why)
        yield report_id, answer
