"""The certificates page, and where else a certificate that ends is told: overview and metrics."""

from pathlib import Path

import pytest

from gateway.store.accounts import Right
from gateway.store.store import Store
from tests.certificate_builders import closed_port, issued, kept
from tests.http.conftest import Site


def site_with(store: Store, folder: Path, days: float | None) -> Site:
    """A page with a certificate of its own that ends so many days from now; None: the file is missing."""
    file = folder / "page.pem"
    if days is not None:
        kept(file, *issued("ishoej.example", days))
    here = f"127.0.0.1:{closed_port()}"
    return Site(store, http=here, http_tls_certificate=file, http_tls_key=file)


def test_without_certificates_it_says_so(site: Site) -> None:
    assert "Ingen certifikater i brug." in site.log_in().page("/certificates").text
    assert "Certifikat<" not in site.page("/").text


def test_it_takes_a_right(site: Site) -> None:
    assert site.page("/certificates", follow_redirects=False).status_code == 303
    assert site.log_in(rights=frozenset({Right.CONTENT})).page("/certificates").status_code == 403


@pytest.mark.parametrize(
    ("days", "told", "english", "left"),
    [
        (90.5, "Intet.", "in order", "90"),
        (20.5, "Bestil et nyt certifikat, læg det i samme fil, og genstart gatewayen.", "ends soon", "20"),
        (5.5, "udløber om få dage", "ends in a few days", "5"),
        (-3, "udløbet", "expired", "0"),
        (None, "Filen findes ikke: læg den der, eller ret indstillingen.", "cannot be read", "–"),
    ],
)
def test_each_certificate_with_what_to_do(
    store: Store, tmp_path: Path, days: float | None, told: str, english: str, left: str
) -> None:
    site = site_with(store, tmp_path, days).log_in()
    shown = site.page("/certificates").text
    assert told in shown
    assert f'<td data-label="Dage tilbage">{left}</td>' in shown
    assert "GATEWAY_HTTP_TLS_CERTIFICATE" in shown
    assert "det, der vises nu" in shown, "the running page is looked at too"
    assert ("CN=ishoej.example" in shown) == (days is not None)
    for secret in ("PRIVATE", str(tmp_path)):
        assert secret not in shown
    site.page("/language/en?next=/certificates")
    assert english in site.page("/certificates").text


def test_one_whose_time_has_not_begun(store: Store, tmp_path: Path) -> None:
    file = kept(tmp_path / "page.pem", *issued("page", 90, begun=-3))
    site = Site(store, http=f"127.0.0.1:{closed_port()}", http_tls_certificate=file, http_tls_key=file).log_in()
    shown = site.page("/certificates").text
    assert "gælder ikke endnu" in shown
    assert "Kontrollér maskinens ur." in shown


def test_the_day_is_shown_in_danish_time(store: Store, tmp_path: Path) -> None:
    """23 November 09:00 UTC and 90 days: 21 February, 10:00 in Ishøj."""
    assert "21.02.2027 kl. 10:00" in site_with(store, tmp_path, 90).log_in().page("/certificates").text


@pytest.mark.parametrize(("days", "on_overview"), [(90, False), (20, True), (-3, True), (None, True)])
def test_it_stands_on_the_overview_when_someone_must_act(
    store: Store, tmp_path: Path, days: float | None, *, on_overview: bool
) -> None:
    shown = site_with(store, tmp_path, days).log_in().page("/").text
    assert ('<a href="/certificates">Certifikat</a> siden og FHIR over HTTP: filen' in shown) == on_overview


@pytest.mark.parametrize(
    ("days", "left", "state"), [(20.5, "20.0", "soon"), (-3, "-3.0", "expired"), (None, "NaN", "unreadable")]
)
def test_it_is_told_to_prometheus(store: Store, tmp_path: Path, days: float | None, left: str, state: str) -> None:
    told = site_with(store, tmp_path, days).client.get("/metrics").text
    assert f'gateway_certificate_days_left{{name="page"}} {left}' in told
    assert f'gateway_certificates{{state="{state}"}} 1.0' in told
    assert 'gateway_certificates{state="silent"} 1.0' in told


def test_metrics_without_certificates_have_none(site: Site) -> None:
    assert "gateway_certificate_days_left{" not in site.client.get("/metrics").text
