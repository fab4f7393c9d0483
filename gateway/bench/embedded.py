"""The embedded default under the same load: a spool folder and SQLite, one process."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from gateway.bench.processes import running
from gateway.bench.throughput import OUTPUTS, Rate, between


def embedded_rate(bodies: Sequence[bytes]) -> Rate:
    """Referrals from ``in/`` to files in ``out/``; the folder goes away with the measurement."""
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as folder:
        spool = Path(folder)
        (spool / "in").mkdir()
        for number, body in enumerate(bodies):
            (spool / "in" / f"{number:06}.xml").write_bytes(body)
        environment = {"GATEWAY_SPOOL": folder, "GATEWAY_HTTP": "", "GATEWAY_LOG_LEVEL": "ERROR"}
        with running(["gateway", "run"], 1, environment) as pids:
            return between(lambda: _outputs(spool), OUTPUTS, len(bodies), pids)


def _outputs(spool: Path) -> int:
    """Files that are whole: the spool writes beside and renames."""
    return sum(1 for kind in ("*.xml", "*.json") for _ in (spool / "out").rglob(kind))
