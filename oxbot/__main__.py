"""`python -m oxbot` is `oxbot`."""

from oxbot.cli.main import main

if __name__ == "__main__":
    main()
