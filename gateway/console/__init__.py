"""The web page for those who watch and decide."""
