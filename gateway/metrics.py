"""Prometheus metrics: few, with bounded labels (type, verdict, fault id, kind). No person data, ever."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()

HANDLED = Counter("gateway_messages_total", "Messages handled", ["type", "verdict"], registry=REGISTRY)
PARKED = Counter("gateway_parked_total", "Items parked, by fault id", ["fault"], registry=REGISTRY)
SECURITY = Counter("gateway_security_events_total", "Messages that may be an attack", ["fault"], registry=REGISTRY)
SENT = Counter("gateway_letters_sent_total", "Letters sent, by kind", ["kind"], registry=REGISTRY)
SEND_FAILED = Counter("gateway_letters_failed_total", "Letters a transport would not take", ["kind"], registry=REGISTRY)
NEIGHBOUR_DOWN = Counter("gateway_neighbour_down_total", "Times a neighbour did not answer", ["id"], registry=REGISTRY)
HANDLING_SECONDS = Histogram(
    "gateway_handling_seconds",
    "Seconds per message from taken to committed",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2.0),
    registry=REGISTRY,
)
OUTBOX_PENDING = Gauge("gateway_outbox_pending", "Letters not yet sent", registry=REGISTRY)
WITHOUT_RECEIPT = Gauge("gateway_letters_without_receipt", "Sent letters whose receipt is overdue", registry=REGISTRY)
PARKED_OPEN = Gauge("gateway_parked_open", "Parked items that wait for a person", registry=REGISTRY)
OLDEST_PENDING_SECONDS = Gauge("gateway_outbox_oldest_seconds", "Age of the oldest letter not sent", registry=REGISTRY)
OLDEST_PARKED_SECONDS = Gauge("gateway_parked_oldest_seconds", "Age of the oldest parked item", registry=REGISTRY)
CASES = Gauge("gateway_cases", "Cases by state", ["state"], registry=REGISTRY)
ALARMS = Gauge("gateway_alarms", "Alarms that are on, by kind and level", ["kind", "level"], registry=REGISTRY)
CERTIFICATE_DAYS = Gauge(
    "gateway_certificate_days_left", "Days until a certificate ends; NaN: unreadable", ["name"], registry=REGISTRY
)
CERTIFICATES = Gauge("gateway_certificates", "Certificates in use, by how they stand", ["state"], registry=REGISTRY)
