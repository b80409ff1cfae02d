"""The routes: each calls one command and answers with one view."""

from collections.abc import AsyncIterator
from typing import Annotated, Literal

from fastapi import Query, Response
from fastapi.responses import StreamingResponse

from amont.common.errors import Invalid
from amont.common.web import CurrentActor, CurrentRun, IfMatch, Listing, Page, api_router, responses
from amont.matching import commands
from amont.matching.api.language import InAnyLanguage, Words
from amont.matching.api.rows import RowListing
from amont.matching.api.views.answers import DroppedView, LeftOutView, MatchView, ProofView, UnmatchedView, UnpinnedView
from amont.matching.api.views.cycles import CycleView
from amont.matching.api.views.fairness import FairnessView
from amont.matching.api.views.pairs import DeclineBody, PairView
from amont.matching.api.views.rounds import PublishBody, RequestBody, RoundSummary, RoundView
from amont.matching.api.views.rulings import ReleaseBody, RuleBody, RulingView
from amont.matching.api.views.simulations import SimulateBody, SimulationSummary, SimulationView
from amont.matching.domain.answer import Part
from amont.matching.domain.pair import NotYourTurn, PairNotOpen, ProposalExpired, RuleStandsInTheWay
from amont.matching.domain.programme import PolicyHasChanged, PoolHasMoved, ProgrammeNotOpen, PublicationRunning
from amont.matching.domain.round import BelowMatchedShare, NoAnswer, NoPoolFile, NoResultFile, RoundNotOpen
from amont.matching.domain.ruling import PairLives, RuledOtherwise, RulingKind
from amont.matching.files import result_file

router = api_router("matching")

PersonQuery = Annotated[str | None, Query(max_length=100, description="tenant:employee_id")]
ProgrammeQuery = Annotated[str | None, Query(max_length=64)]
KindQuery = Annotated[Literal["pinned", "forbidden", "released"] | None, Query()]
_AS_USUAL, _WITHOUT_OVERRIDE, _WITHOUT_REASON, _UNSAID, _OWN = RequestBody(), PublishBody(), DeclineBody(), ReleaseBody(), SimulateBody()


class FileOfLines(StreamingResponse):
    """A file of ours that comes in pieces."""

    media_type = "application/json"


@router.get("/cycles", responses=responses())
async def cycles(
    actor: CurrentActor,
    run: CurrentRun,
    page: RowListing,
    tenant: Annotated[str | None, Query(max_length=32, description="only those with somebody of this subsidiary")] = None,
) -> Page[CycleView]:
    """The cycles in the management graph, in the order in which they were found, and which of their links are ignored. Ids only."""
    return page.of(await run(commands.list_cycles, actor, tenant=tenant, start=page.start, limit=page.limit), CycleView.of)


@router.post("/programmes/{programme_id}/rounds", status_code=202, responses=responses(ProgrammeNotOpen, PublicationRunning))
async def request(programme_id: str, actor: CurrentActor, run: CurrentRun, response: Response, body: RequestBody = _AS_USUAL) -> RoundView:
    """Ask for a full round. It is solved in a moment, on the seats that are free then; nobody is told of it until it is published."""
    read = await run(commands.request_round, programme_id, actor, body.seed)
    response.headers["Location"] = f"{router.prefix}/rounds/{read.round.id}"
    return RoundView.read(read, response)


@router.get("/programmes/{programme_id}/rounds", responses=responses())
async def rounds(programme_id: str, actor: CurrentActor, run: CurrentRun, page: Listing) -> Page[RoundSummary]:
    """The rounds of a programme."""
    found = await run(commands.list_rounds, programme_id, actor, page.after, page.limit)
    return page.of([RoundSummary.of(one) for one in found], lambda view: view.id)


@router.get("/rounds/{round_id}", responses=responses())
async def round_(round_id: str, actor: CurrentActor, run: CurrentRun, response: Response) -> RoundView:
    """A round: how far it is, what it found in figures, and what became of it. The rows of its answer are lists of their own."""
    return RoundView.read(await run(commands.read_round, round_id, actor), response)


@router.get("/rounds/{round_id}/pairs", responses=responses(NoAnswer))
async def round_pairs(round_id: str, actor: CurrentActor, run: CurrentRun, page: RowListing, words: Words) -> Page[MatchView]:
    """The pairs that a round found, by mentee, with why each was made."""
    found = await run(commands.read_rows, round_id, actor, Part.PAIRS, page.start, page.limit)
    return page.of(found, lambda row: MatchView.of(row, words))


@router.get("/rounds/{round_id}/unmatched", responses=responses(NoAnswer))
async def round_unmatched(round_id: str, actor: CurrentActor, run: CurrentRun, page: RowListing, words: Words) -> Page[UnmatchedView]:
    """The people in no pair, by id and role, with why each of them is alone."""
    found = await run(commands.read_rows, round_id, actor, Part.UNMATCHED, page.start, page.limit)
    return page.of(found, lambda row: UnmatchedView.of(row, words))


@router.get("/rounds/{round_id}/left-out", responses=responses(NoAnswer))
async def round_left_out(round_id: str, actor: CurrentActor, run: CurrentRun, page: RowListing, words: Words) -> Page[LeftOutView]:
    """The active enrolments that the round could not use."""
    found = await run(commands.read_rows, round_id, actor, Part.LEFT_OUT, page.start, page.limit)
    return page.of(found, lambda row: LeftOutView.of(row, words))


@router.get("/rounds/{round_id}/dropped-links", responses=responses(NoAnswer))
async def round_dropped_links(round_id: str, actor: CurrentActor, run: CurrentRun, page: RowListing) -> Page[DroppedView]:
    """The links of the management graph that were ignored because they closed a cycle."""
    return page.of(await run(commands.read_rows, round_id, actor, Part.DROPPED, page.start, page.limit), DroppedView.of)


@router.get("/rounds/{round_id}/certificate", responses=responses(NoAnswer))
async def round_certificate(round_id: str, actor: CurrentActor, run: CurrentRun, page: RowListing) -> Page[ProofView]:
    """The proof that no answer can be better, person by person; its `reward` and `floor` are in the round."""
    return page.of(await run(commands.read_rows, round_id, actor, Part.PROOF, page.start, page.limit), ProofView.of)


@router.get("/rounds/{round_id}/fairness", responses=responses(NoAnswer), dependencies=[InAnyLanguage])
async def round_fairness(round_id: str, actor: CurrentActor, run: CurrentRun) -> FairnessView:
    """Who was matched and how well, by subsidiary, function, site, grade band and role; nothing about fewer than five people."""
    [figures] = await run(commands.read_rows, round_id, actor, Part.FAIRNESS, 0, 1)
    return FairnessView.of(figures)


@router.get("/rounds/{round_id}/unpinned", responses=responses(NoAnswer))
async def round_unpinned(round_id: str, actor: CurrentActor, run: CurrentRun, page: RowListing, words: Words) -> Page[UnpinnedView]:
    """The pins that do not hold in this round, and why."""
    found = await run(commands.read_rows, round_id, actor, Part.UNPINNED, page.start, page.limit)
    return page.of(found, lambda row: UnpinnedView.of(row, words))


@router.get("/rounds/{round_id}/pool", response_class=FileOfLines, responses=responses(NoAnswer, NoPoolFile))
async def round_pool(round_id: str, actor: CurrentActor, run: CurrentRun) -> FileOfLines:
    """What the round was solved from, as the file that `amont match` and `amont verify` read; its digest is the round's `pool_sha256`."""
    answer = await run(commands.read_source, round_id, actor)

    async def lines() -> AsyncIterator[str]:
        for start in range(0, answer.pool, answer.rows):
            some = await run(commands.rows, round_id, answer, Part.POOL, start, answer.rows)
            yield "".join(f"{line}\n" for line in some)

    return FileOfLines(lines(), headers={"Content-Disposition": f'attachment; filename="pool-{round_id}.json"'})


@router.get("/rounds/{round_id}/policy", response_class=FileOfLines, responses=responses(NoAnswer, NoPoolFile))
async def round_policy(round_id: str, actor: CurrentActor, run: CurrentRun) -> FileOfLines:
    """The policy that the round was solved under, as the file that `amont match` and `amont verify` read."""
    answer = await run(commands.read_source, round_id, actor)
    return FileOfLines(iter([answer.policy_file or ""]), headers={"Content-Disposition": f'attachment; filename="policy-{round_id}.json"'})


@router.get("/rounds/{round_id}/result", response_class=FileOfLines, responses=responses(NoAnswer, NoPoolFile, NoResultFile))
async def round_result(round_id: str, actor: CurrentActor, run: CurrentRun, words: Words) -> FileOfLines:
    """The round's answer with its proof, as the file that `amont verify` holds against the round's pool and policy."""
    answer, head = await run(commands.read_result, round_id, actor)

    async def text() -> AsyncIterator[str]:
        for piece in result_file(head, explain=True, language=words):
            if isinstance(piece, str):
                yield piece
                continue
            yield piece.opening
            first = True
            for start in range(0, answer.count(piece.part), answer.rows):
                some = piece.text(await run(commands.rows, round_id, answer, piece.part, start, answer.rows), first=first)
                first = first and not some
                yield some
            yield piece.end(first=first)

    headers = {
        "Content-Disposition": f'attachment; filename="result-{round_id}.json"',
        "Content-Language": words,
        "Vary": "Accept-Language",
    }
    return FileOfLines(text(), headers=headers)


@router.post("/programmes/{programme_id}/rulings", status_code=201, responses=responses(Invalid, PairLives, RuledOtherwise))
async def rule(programme_id: str, actor: CurrentActor, run: CurrentRun, response: Response, body: RuleBody) -> RulingView:
    """Pin two people, or forbid them to each other, from the next round on. Nobody is told, and a pair that exists is not touched."""
    read = await run(
        commands.rule,
        programme_id,
        actor,
        RulingKind(body.kind),
        body.mentee,
        body.mentor,
        reason=body.reason,
        override=body.override,
    )
    response.headers["Location"] = f"{router.prefix}/rulings/{read[0].id}"
    return RulingView.read(read, response)


@router.get("/programmes/{programme_id}/rulings", responses=responses())
async def rulings(programme_id: str, actor: CurrentActor, run: CurrentRun, page: Listing, kind: KindQuery = None) -> Page[RulingView]:
    """What was decided about two people of a programme: of that kind, or all, taken back or not."""
    found = await run(commands.list_rulings, programme_id, actor, kind and RulingKind(kind), page.after, page.limit)
    return page.of([RulingView.about(*one) for one in found], lambda view: view.id)


@router.get("/rulings/{ruling_id}", responses=responses())
async def ruling(ruling_id: str, actor: CurrentActor, run: CurrentRun, response: Response) -> RulingView:
    """What holds for two people, and what was decided before."""
    return RulingView.read(await run(commands.read_ruling, ruling_id, actor), response)


@router.post("/rulings/{ruling_id}/release", responses=responses())
async def release(
    ruling_id: str, actor: CurrentActor, run: CurrentRun, if_match: IfMatch, response: Response, body: ReleaseBody = _UNSAID
) -> RulingView:
    """Take a ruling back, from the next round on. Two who were a pair are not proposed again all the same."""
    return RulingView.read(await run(commands.release, ruling_id, actor, body.reason, version=if_match), response)


@router.post(
    "/rounds/{round_id}/publish",
    status_code=202,
    responses=responses(RoundNotOpen, BelowMatchedShare, PolicyHasChanged, PoolHasMoved, PublicationRunning, ProgrammeNotOpen),
)
async def publish(
    round_id: str, actor: CurrentActor, run: CurrentRun, if_match: IfMatch, response: Response, body: PublishBody = _WITHOUT_OVERRIDE
) -> RoundView:
    """Publish a round. Its pairs are proposed one after the other; the status is `published` when all are."""
    read = await run(commands.publish_round, round_id, actor, body.override_reason, version=if_match)
    return RoundView.read(read, response)


@router.post("/rounds/{round_id}/discard", responses=responses(RoundNotOpen, PublicationRunning))
async def discard(round_id: str, actor: CurrentActor, run: CurrentRun, if_match: IfMatch, response: Response) -> RoundView:
    """Throw a solved round away."""
    return RoundView.read(await run(commands.discard_round, round_id, actor, version=if_match), response)


@router.post("/programmes/{programme_id}/simulations", status_code=202, responses=responses(Invalid))
async def simulate(
    programme_id: str, actor: CurrentActor, run: CurrentRun, response: Response, words: Words, body: SimulateBody = _OWN
) -> SimulationView:
    """Ask what another policy would reach on the seats that are free now, beside the programme's own or a third one. Nobody is told, nothing changes."""
    policy, against = (None if one is None else one.changes() for one in (body.policy, body.against))
    read = await run(commands.request_simulation, programme_id, actor, policy=policy, against=against, rules=body.rules, seed=body.seed)
    response.headers["Location"] = f"{router.prefix}/simulations/{read.simulation.id}"
    return SimulationView.read(read, response, words)


@router.get("/programmes/{programme_id}/simulations", responses=responses())
async def simulations(programme_id: str, actor: CurrentActor, run: CurrentRun, page: Listing) -> Page[SimulationSummary]:
    """The simulations of a programme that are kept."""
    found = await run(commands.list_simulations, programme_id, actor, page.after, page.limit)
    return page.of([SimulationSummary.of(one) for one in found], lambda view: view.id)


@router.get("/simulations/{simulation_id}", responses=responses())
async def simulation(simulation_id: str, actor: CurrentActor, run: CurrentRun, response: Response, words: Words) -> SimulationView:
    """A simulation: how far it is, then what each policy reaches, for whom, and the difference."""
    return SimulationView.read(await run(commands.read_simulation, simulation_id, actor), response, words)


@router.get("/pairs", responses=responses())
async def pairs(
    actor: CurrentActor, run: CurrentRun, page: Listing, programme: ProgrammeQuery = None, person: PersonQuery = None
) -> Page[PairView]:
    """The pairs that you may see: your own that you were asked about, or those with somebody of your subsidiary."""
    found = await run(commands.list_pairs, actor, programme=programme, person=person, after=page.after, limit=page.limit)
    return page.of([PairView.of(*one, actor) for one in found], lambda view: view.id)


@router.get("/pairs/{pair_id}", responses=responses())
async def pair(pair_id: str, actor: CurrentActor, run: CurrentRun, response: Response) -> PairView:
    """One pair, and why the two were brought together."""
    return PairView.read(await run(commands.read_pair, pair_id, actor), actor, response)


@router.post("/pairs/{pair_id}/accept", responses=responses(PairNotOpen, NotYourTurn, ProposalExpired, RuleStandsInTheWay))
async def accept(pair_id: str, actor: CurrentActor, run: CurrentRun, if_match: IfMatch, response: Response) -> PairView:
    """Say yes to a proposal: the mentee first, then the mentor."""
    return PairView.read(await run(commands.accept_pair, pair_id, actor, version=if_match), actor, response)


@router.post("/pairs/{pair_id}/decline", responses=responses(PairNotOpen, ProposalExpired))
async def decline(
    pair_id: str, actor: CurrentActor, run: CurrentRun, if_match: IfMatch, response: Response, body: DeclineBody = _WITHOUT_REASON
) -> PairView:
    """Say no to a proposal; nobody is told who did or why."""
    return PairView.read(await run(commands.decline_pair, pair_id, actor, body.reason, version=if_match), actor, response)


@router.post("/pairs/{pair_id}/end", responses=responses(PairNotOpen))
async def end(pair_id: str, actor: CurrentActor, run: CurrentRun, if_match: IfMatch, response: Response) -> PairView:
    """End a pair, without fault and without a reason."""
    return PairView.read(await run(commands.end_pair, pair_id, actor, version=if_match), actor, response)
