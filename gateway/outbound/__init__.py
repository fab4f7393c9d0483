"""What goes out: the relay and the transports it hands letters to."""
