"""Upgrade the database named by DATABASE_URL to the newest schema."""

import os
import sys

from infra.migrations import upgrade
from oxbot.domain.errors import OxbotError, SetupError


def main() -> int:
    """Upgrade; one line on stdout, or a sentence on stderr and exit code 1."""
    try:
        database_url = os.environ.get("DATABASE_URL")
        if not database_url:
            raise SetupError("DATABASE_URL is not set. Set it to postgresql://... and try again.")
        upgrade(database_url)
    except OxbotError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("The database has the newest schema.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
