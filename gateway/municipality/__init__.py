"""One municipality as data: its own GLNs, teams, routes, texts and policy. A new municipality is one TOML file."""
