"""The secret of the embedded API, made once and kept for its owner's eyes."""

import secrets

from oxbot.domain.users import first_code
from oxbot.embedded.paths import DataDirectory, files_in, read_json_object, write_private_json


def api_secret(data: DataDirectory) -> str:
    """Give the secret that access tokens are signed with; made where there is none yet.

    The code of the first user, who is the administrator, is kept with it.

    Raises:
        SetupError: It can be neither read nor written.
    """
    with files_in(data.root):
        known = read_json_object(data.secrets)
        kept = known.get("api_secret")
        secret = kept if isinstance(kept, str) and kept else secrets.token_urlsafe(48)
        wanted = {"api_secret": secret, "first_code": first_code(secret)}
        if known != wanted:
            write_private_json(data.secrets, wanted)
    return secret
