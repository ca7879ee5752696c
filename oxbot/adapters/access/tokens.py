"""JSON Web Tokens (RFC 7519) as access tokens."""

from typing import Final

import jwt

from oxbot.domain.errors import SetupError, Unauthorised
from oxbot.domain.users import Login

ALGORITHM: Final = "HS256"
ISSUER: Final = "0xbot"
API: Final = "0xbot-api"
PAGES: Final = "0xbot-pages"

ACCESS_S: Final = 600
PAGES_S: Final = 12 * 3600
"""Seconds for which a token of each kind is good."""

SHORTEST: Final = 32
"""Bytes that a secret must have: those of the hash (RFC 7518, 3.2)."""

EXAMPLES: Final = ("change", "secret", "example", "password", "your-", "xxxx")
"""What secrets of examples have in them."""

DIFFERENT: Final = 8
"""Different characters that a secret must have at least."""

HOW: Final = "Make one with `openssl rand -base64 48`."


class JwtAccessTokens:
    """Tokens of one audience, signed with a secret, good for so many seconds."""

    def __init__(self, secret: str, audience: str, seconds: int) -> None:
        self._secret = checked(secret)
        self._audience = audience
        self._seconds = seconds

    def made(self, login: Login, now_ms: int) -> tuple[str, int]:
        """Give a token for a login, and for how many seconds it is good."""
        now_s = now_ms // 1000
        claims = {
            "iss": ISSUER,
            "aud": self._audience,
            "sub": login.user.id,
            "sid": login.id,
            "iat": now_s,
            "exp": now_s + self._seconds,
        }
        return jwt.encode(claims, self._secret, algorithm=ALGORITHM), self._seconds

    def login_of(self, token: str) -> str:
        """Give the id of the login that a token was made for.

        Raises:
            Unauthorised: It is no token of ours, or has expired.
        """
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                audience=self._audience,
                issuer=ISSUER,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except jwt.ExpiredSignatureError as error:
            raise Unauthorised("The access token has expired. Refresh it.") from error
        except jwt.InvalidTokenError as error:
            raise Unauthorised("This is no access token of this system. Sign in.") from error
        login_id = claims.get("sid")
        if not isinstance(login_id, str):
            raise Unauthorised("This is no access token of this system. Sign in.")
        return login_id


def checked(secret: str) -> str:
    """Give a secret that can sign.

    Raises:
        SetupError: It is missing, short, or one of an example.
    """
    if not secret:
        raise SetupError(f"OXBOT_API_SECRET is missing: it signs access tokens. {HOW}")
    if len(secret.encode()) < SHORTEST or len(set(secret)) < DIFFERENT:
        raise SetupError(f"OXBOT_API_SECRET is too short or too simple to sign with. {HOW}")
    if any(example in secret.lower() for example in EXAMPLES):
        raise SetupError(f"OXBOT_API_SECRET is one of an example, which others know. {HOW}")
    return secret
