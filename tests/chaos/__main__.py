"""``scripts/chaos``: break everything in turn under load, count, and exit 0 only when nothing was lost or doubled."""

import argparse
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import msgspec

from tests.chaos.nodes import missing
from tests.chaos.run import Plan, Report, run

_READY_WITHIN_S = 5.0


def main() -> int:
    given = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what we started ends with us
    if absent := missing():
        return _say(f"needed: apt-get install -y --no-install-recommends {' '.join(absent)}", 2)
    plan = Plan(faults=given.faults, referrals=given.referrals, rate=given.rate, workers=given.workers, seed=given.seed)
    folder = Path(tempfile.mkdtemp(prefix="gateway-chaos-"))
    report = run(plan, folder, lambda line: sys.stderr.write(f"{line}\n"))
    if given.json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(report)).decode() + "\n")
    else:
        sys.stdout.write(summary(report))
    if not report.is_good:
        return _say(f"not good; logs and data are kept in {folder}", 1)
    shutil.rmtree(folder)
    return 0


def _arguments() -> argparse.Namespace:
    plan = Plan()
    parser = argparse.ArgumentParser(prog="scripts/chaos", description=__doc__)
    parser.add_argument("--faults", type=int, default=plan.faults, help="of each kind (default %(default)s)")
    parser.add_argument("--referrals", type=int, default=plan.referrals, help="at least (default %(default)s)")
    parser.add_argument("--rate", type=float, default=plan.rate, help="referrals a second (default %(default)s)")
    parser.add_argument("--workers", type=int, default=plan.workers, help="gateway processes (default %(default)s)")
    parser.add_argument("--seed", type=int, default=plan.seed, help="of what breaks when (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    return parser.parse_args()


def summary(report: Report) -> str:
    """The figures for people."""
    tally = report.tally
    lines = [f"{name.replace('_', ' '):24} {value}" for name, value in msgspec.structs.asdict(tally).items()]
    lines.append("")
    for kind, number in report.faults.items():
        slow = report.ready_slowest_s[kind]
        late = "" if slow <= _READY_WITHIN_S else f"   over {_READY_WITHIN_S:.0f} s"
        lines.append(f"{number:3} × {kind:18} ready after {report.ready_median_s[kind]} s, at most {slow} s{late}")
    lines += ["", f"processes ended by themselves: {len(report.ended_by_itself)}"]
    lines += [f"memory of one process: {report.peak_mb} MB at most", f"took {report.took_s:.0f} s"]
    return "\n".join(lines) + "\n"


def _say(text: str, status: int) -> int:
    sys.stderr.write(f"chaos: {text}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
