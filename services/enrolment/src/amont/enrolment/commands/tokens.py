"""Commands and questions about the tokens of a subsidiary's feed. Making one is where its randomness comes from."""

import secrets

from amont.common.identity import Action, Actor, Resource, authorize
from amont.common.work import Work
from amont.enrolment.commands.subsidiaries import present
from amont.enrolment.domain.tokens import PREFIX, FeedToken, FeedTokens

SECRET_BYTES = 32


async def make_token(work: Work, tenant: str, actor: Actor) -> tuple[FeedToken, str]:
    """Another token, and its text: the only time that anybody sees it. Raises NotFound, TooManyTokens, TokenMade."""
    _authorize(actor, tenant)
    await present(work, tenant)
    tokens = await work.get_or_new(FeedTokens, tenant)
    secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    made = work.save(tokens.make(work.new_id("token", tenant), secret, work.now, actor.person))
    return made.tokens[-1], secret


async def revoke_token(work: Work, tenant: str, actor: Actor, id_: str) -> FeedToken:
    """Have a token open nothing any more; once is enough. Raises NotFound."""
    _authorize(actor, tenant)
    tokens = await work.get_or_new(FeedTokens, tenant)
    return work.save(tokens.revoke(id_, work.now, actor.person)).token(id_)


async def tokens(work: Work, tenant: str, actor: Actor) -> tuple[FeedToken, ...]:
    """The tokens of a subsidiary's feed: the valid ones, and the last that were revoked. Raises NotFound."""
    _authorize(actor, tenant)
    await present(work, tenant)
    return (await work.get_or_new(FeedTokens, tenant)).tokens


def _authorize(actor: Actor, tenant: str) -> None:
    authorize(actor, Action.MANAGE_SUBSIDIARY, Resource("subsidiary", tenant, frozenset({tenant})))
