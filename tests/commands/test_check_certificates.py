"""``gateway check`` and certificates: fails on what fails already, warns of what will."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.certificates.state import Certificate, Reading, Watched, standing
from gateway.clocks import system_now
from gateway.commands.check import certificate_line
from tests.certificate_builders import issued, kept
from tests.commands.conftest import Gateway

SETTING = "GATEWAY_REPORT_CERTIFICATE"


@pytest.mark.parametrize(
    ("days", "status", "told"),
    [
        (90, 0, ""),
        (20, 0, "ends soon"),
        (5, 0, "ends in a few days"),
        (-3, 1, "expired"),
        (None, 1, "cannot be read. There is no such file: put it there, or mend the setting."),
    ],
)
def test_a_certificate_that_ends(gateway: Gateway, tmp_path: Path, days: float | None, status: int, told: str) -> None:
    file = tmp_path / "kl.pem"
    if days is not None:
        kept(file, *issued("kl", days, now=system_now()))
    ended = gateway("check", GATEWAY_REPORT_CERTIFICATE=str(file), GATEWAY_REPORT_KEY=str(file))
    assert ended.status == status
    where = ended.out if status else ended.err
    begins = "FEJL  " if status else "gateway: warning: "
    assert (f"{begins}{SETTING}: system certificate for KL's gateway: {told}" in where) == bool(told)
    assert "PRIVATE" not in ended.out + ended.err


def test_the_line_says_when_it_ended_and_what_to_do() -> None:
    ended = datetime(2026, 11, 20, 12, tzinfo=UTC)
    certificate = Certificate(subject="CN=kl", issuer="CN=ca", starts=ended - timedelta(days=700), ends=ended)
    watched = Watched(name="broker", setting="GATEWAY_AMQP_URL")
    found = standing(watched, Reading(certificates=(certificate,)), ended + timedelta(days=3))
    assert certificate_line(found) == (
        "GATEWAY_AMQP_URL: RabbitMQ: the server's certificate: expired (2026-11-20). "
        "Ask whoever runs RabbitMQ to renew the server's certificate."
    )
