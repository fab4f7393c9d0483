from tests.neighbours import bare_broker, broker, empty_postgres_url, plain_logs, postgres_url, worker_database

__all__ = ["bare_broker", "broker", "empty_postgres_url", "plain_logs", "postgres_url", "worker_database"]
