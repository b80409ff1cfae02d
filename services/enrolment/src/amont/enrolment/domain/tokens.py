"""The bearer tokens of a subsidiary's feed: shown once, kept as a digest, several at a time so that one can be changed without a gap.

A token is a secret of 256 random bits that we make. So a plain SHA-256 of it suffices: slow, salted hashes are there to make guessing a
password dear, and nobody guesses 256 bits; what a thief of the store gets is of no use at the door (NIST SP 800-63B, 5.1.2.2, asks for a salted
and slow hash only of look-up secrets under 112 bits). What is not here: where the randomness comes from (`commands`).
"""

import hashlib
import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from amont.common.aggregate import Aggregate, Decision
from amont.common.errors import Conflict, NotFound
from amont.common.events.values import Instant
from amont.common.kept import DECISIONS_KEPT

MOST_VALID = 5
"""Tokens that are valid at a time: enough to change them in two systems at once."""
MOST_REVOKED = 20
"""Revoked tokens that are still listed, the last ones."""
PREFIX = "amont_scim_"
"""What a token begins with, so that whoever finds one (a scanner of repositories, too) knows what it is."""


class TooManyTokens(Conflict):
    """The feed has as many tokens as it may."""

    code = "too-many-tokens"
    title = "The feed has as many tokens as it may"

    def __init__(self, tenant: str) -> None:
        super().__init__(
            f"The feed of {tenant!r} has {MOST_VALID} valid tokens already. Revoke one that is not used any more, then make another."
        )


class TokenMade(Conflict):
    """The same request has made its token already, and a token is shown once."""

    code = "token-made"
    title = "The token has been made and was shown once"

    def __init__(self, id_: str) -> None:
        super().__init__(
            f"This request has made token {id_!r} already, and a token is shown only once. Revoke it and make another, if it is lost."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedToken:
    """One token: who made it when, what it ends in; and who revoked it when. After a year nobody knows any more who made it."""

    id: str
    digest: str
    last_four: str
    made_at: Instant
    made_by: str | None
    revoked_at: Instant | None = None
    revoked_by: str | None = None

    @property
    def valid(self) -> bool:
        return self.revoked_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedTokens(Aggregate):
    """The tokens of one subsidiary's feed, in the order in which they were made; the id is the tenant's."""

    tokens: tuple[FeedToken, ...] = ()

    def facts(self) -> Mapping[str, Any]:
        return {}

    def make(self, id_: str, secret: str, at: Instant, by: str) -> Decision["FeedTokens"]:
        """Another valid token. Raises TooManyTokens, and TokenMade when there is one with that id."""
        if any(one.id == id_ for one in self.tokens):
            raise TokenMade(id_)
        if sum(one.valid for one in self.tokens) >= MOST_VALID:
            raise TooManyTokens(self.id)
        return self._with((*self.tokens, FeedToken(id=id_, digest=digest(secret), last_four=secret[-4:], made_at=at, made_by=by)))

    def revoke(self, id_: str, at: Instant, by: str) -> Decision["FeedTokens"]:
        """The token opens nothing any more; once is enough. Raises NotFound."""
        self.token(id_)
        return self._revoked({id_}, at, by)

    def revoke_all(self, at: Instant, by: str) -> Decision["FeedTokens"]:
        """None of them opens anything any more."""
        return self._revoked({one.id for one in self.tokens}, at, by)

    def _revoked(self, ids: Collection[str], at: Instant, by: str) -> Decision["FeedTokens"]:
        tokens = [replace(one, revoked_at=at, revoked_by=by) if one.id in ids and one.valid else one for one in self.tokens]
        listed = {one.id for one in sorted((one for one in tokens if not one.valid), key=_revoked_at)[-MOST_REVOKED:]}
        return self._with(tuple(one for one in tokens if one.valid or one.id in listed))

    def aged(self, now: datetime) -> Decision["FeedTokens"]:
        """A year later who made a token is forgotten, and so is a revoked one as a whole."""
        year_ago = now - DECISIONS_KEPT
        listed = (one for one in self.tokens if one.revoked_at is None or one.revoked_at > year_ago)
        return self._with(tuple(replace(one, made_by=None) if one.made_at <= year_ago else one for one in listed))

    def _with(self, tokens: tuple[FeedToken, ...]) -> Decision["FeedTokens"]:
        signed = [one.made_at for one in tokens if one.made_by is not None] + [
            one.revoked_at for one in tokens if one.revoked_at is not None
        ]
        return self.becomes(tokens=tokens, due_at=min(signed) + DECISIONS_KEPT if signed else None)

    def token(self, id_: str) -> FeedToken:
        """One of them. Raises NotFound."""
        for one in self.tokens:
            if one.id == id_:
                return one
        raise NotFound("token", id_)

    def opens(self, secret: str) -> FeedToken | None:
        """The valid token that this is, compared in constant time; None when it is none."""
        given = digest(secret)
        return next((one for one in self.tokens if hmac.compare_digest(one.digest, given) and one.valid), None)


def _revoked_at(token: FeedToken) -> Instant:
    return token.revoked_at or token.made_at


def digest(secret: str) -> str:
    """The SHA-256 of a token, in hexadecimal digits."""
    return hashlib.sha256(secret.encode()).hexdigest()
