"""How a certificate stands at a moment: the table of states, with their edges."""

from datetime import timedelta

import pytest

from gateway.certificates.state import Certificate, Problem, Reading, Standing, Watched, standing, worst_first
from tests.certificate_builders import NOW

PAGE = Watched(name="page", setting="GATEWAY_HTTP_TLS_CERTIFICATE")
TRUSTED = Watched(name="broker_trusted", setting="GATEWAY_AMQP_URL", is_trusted=True)


def certificate(ends: float, starts: float = -100, subject: str = "CN=a") -> Certificate:
    """By days from now."""
    begin, end = NOW + timedelta(days=starts), NOW + timedelta(days=ends)
    return Certificate(subject=subject, issuer="CN=b", starts=begin, ends=end)


def of(*certificates: Certificate, watched: Watched = PAGE) -> Standing:
    return standing(watched, Reading(certificates=certificates), NOW)


@pytest.mark.parametrize(
    ("ends", "state", "days"),
    [
        (400, "fine", 400),
        (31, "fine", 31),
        (30.99, "soon", 30),
        (8, "soon", 8),
        (7.99, "urgent", 7),
        (0.5, "urgent", 0),
        (0, "urgent", 0),
        (-0.01, "expired", -1),
        (-10, "expired", -10),
    ],
)
def test_by_the_days_that_are_left(ends: float, state: str, days: int) -> None:
    found = of(certificate(ends))
    assert (found.state, found.days) == (state, days)
    assert found.is_broken == (state == "expired")
    assert found.needs_someone == (state != "fine")


@pytest.mark.parametrize(
    ("starts", "ends", "state"), [(0, 100, "fine"), (0.01, 100, "not_yet"), (0.01, 5, "not_yet"), (-9, -1, "expired")]
)
def test_by_its_beginning(starts: float, ends: float, state: str) -> None:
    assert of(certificate(ends, starts)).state == state


def test_of_a_chain_the_earliest_end_counts_and_the_latest_beginning() -> None:
    leaf, issuer = certificate(300, subject="CN=leaf"), certificate(20, subject="CN=issuer")
    found = of(leaf, issuer)
    assert (found.state, found.certificate) == ("soon", issuer)
    assert of(leaf, certificate(900, starts=1)).state == "not_yet"


def test_of_trusted_issuers_the_latest_end_counts() -> None:
    old, new = certificate(-1), certificate(900, subject="CN=new")
    found = of(new, old, watched=TRUSTED)
    assert (found.state, found.certificate) == ("fine", new)
    assert of(old, watched=TRUSTED).state == "expired"
    assert of(old, certificate(900, starts=3), watched=TRUSTED).state == "not_yet"


@pytest.mark.parametrize(
    ("problem", "state"),
    [("missing", "unreadable"), ("forbidden", "unreadable"), ("no_certificate", "unreadable"), ("silent", "silent")],
)
def test_what_cannot_be_read(problem: str, state: str) -> None:
    found = standing(PAGE, Reading(problem=Problem(problem)), NOW)
    assert (found.state, found.problem, found.days, found.certificate) == (state, problem, None, None)
    assert found.is_broken == found.needs_someone == (state == "unreadable")


def test_a_file_without_any_certificate_is_unreadable() -> None:
    assert of().problem is Problem.NO_CERTIFICATE


def test_the_worst_comes_first() -> None:
    ends = (400, 6, 20, -3, 2)
    found = [of(certificate(end)) for end in ends] + [standing(PAGE, Reading(problem=Problem.MISSING), NOW)]
    assert [one.days for one in worst_first(found)] == [None, -3, 2, 6, 20, 400]
