"""Certificates: what each is for, when it ends, and what to do. Neither keys nor the places of files are shown."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.certificates.watch import CertificateWatch
from gateway.console.access import SeesMetadata
from gateway.console.certificate_wording import advice
from gateway.console.page import render

router = APIRouter(include_in_schema=False)


@router.get("/certificates")
def certificates(request: Request, _session: SeesMetadata) -> Response:
    """Every certificate in use, the one that needs someone first."""
    watch: CertificateWatch = request.app.state.certificates
    return render(request, "certificates.html", rows=watch.look(), advice=advice)
