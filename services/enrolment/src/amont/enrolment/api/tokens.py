"""The tokens of a subsidiary's feed over HTTP."""

from datetime import datetime
from typing import Annotated

from fastapi import Path, Response
from pydantic import BaseModel, ConfigDict

from amont.common.web import CurrentActor, CurrentRun, api_router, responses
from amont.enrolment import commands
from amont.enrolment.api.signed import Known
from amont.enrolment.api.subsidiaries import SubsidiaryId
from amont.enrolment.domain.tokens import FeedToken, TokenMade, TooManyTokens

router = api_router("enrolment")

TokenId = Annotated[str, Path(description="a token's id, as the list shows it")]


class TokenView(BaseModel):
    """A token, never its text: who made it when, what it ends in; and who revoked it when."""

    id: str
    last_four: str
    made_at: datetime
    made_by: Known
    revoked_at: datetime | None
    revoked_by: str | None

    @classmethod
    def of(cls, token: FeedToken) -> "TokenView":
        return cls(
            id=token.id,
            last_four=token.last_four,
            made_at=token.made_at,
            made_by=token.made_by,
            revoked_at=token.revoked_at,
            revoked_by=token.revoked_by,
        )


class MadeView(TokenView):
    """A new token with its text, which is shown this once."""

    model_config = ConfigDict(json_schema_extra={"description": "`token` is shown this once: nobody can read it again."})

    token: str


class TokensView(BaseModel):
    """The valid tokens of a feed, and the last that were revoked."""

    items: list[TokenView]


@router.post("/subsidiaries/{subsidiary_id}/tokens", status_code=201, responses=responses(TooManyTokens, TokenMade))
async def make_token(subsidiary_id: SubsidiaryId, actor: CurrentActor, run: CurrentRun, response: Response) -> MadeView:
    """Make a bearer token for the subsidiary's feed. Its text is in this answer and nowhere else."""
    made, secret = await run(commands.make_token, subsidiary_id, actor)
    response.headers["Cache-Control"] = "no-store"
    return MadeView(**TokenView.of(made).model_dump(), token=secret)


@router.get("/subsidiaries/{subsidiary_id}/tokens", responses=responses())
async def list_tokens(subsidiary_id: SubsidiaryId, actor: CurrentActor, run: CurrentRun) -> TokensView:
    """List the tokens of the subsidiary's feed, without their text."""
    return TokensView(items=[TokenView.of(one) for one in await run(commands.tokens, subsidiary_id, actor)])


@router.post("/subsidiaries/{subsidiary_id}/tokens/{token_id}/revoke", responses=responses())
async def revoke_token(subsidiary_id: SubsidiaryId, token_id: TokenId, actor: CurrentActor, run: CurrentRun) -> TokenView:
    """Have a token open nothing any more, at once; revoking twice changes nothing."""
    return TokenView.of(await run(commands.revoke_token, subsidiary_id, actor, token_id))
