"""RabbitMQ: the topology as data, and a pika connection on its own thread."""
