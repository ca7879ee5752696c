"""The secret of the embedded API, made once and kept for its owner's eyes."""

import secrets

from oxbot.embedded.paths import DataDirectory, files_in, read_json_object, write_private_json


def api_secret(data: DataDirectory) -> str:
    """Give the secret that access tokens are signed with; made where there is none yet.

    Raises:
        SetupError: It can be neither read nor written.
    """
    with files_in(data.root):
        kept = read_json_object(data.secrets).get("api_secret")
        if isinstance(kept, str) and kept:
            return kept
        made = secrets.token_urlsafe(48)
        write_private_json(data.secrets, {"api_secret": made})
    return made
