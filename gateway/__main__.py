"""``python -m gateway`` and the console script ``gateway``."""

from gateway.commands import main

if __name__ == "__main__":
    main()
