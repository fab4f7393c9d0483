"""What comes in: sources (RabbitMQ, spool folder, HTTP) and the consumer that saves before it acknowledges."""
