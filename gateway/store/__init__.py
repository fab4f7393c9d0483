"""The store: inbox, cases, decisions, history, outbox and parked items; SQLite (embedded) or PostgreSQL by URL."""
