from dataclasses import dataclass
from datetime import timedelta
from amont.common.aggregate import Aggregate
from amont.common.documents.collection import Collection
from amont.common.events import *
from amont.common.service import Service
from amont.common.testing.hearing import hearing, START
from amont.common.work import Work
from amont.common.events.values import *

@dataclass(frozen=True, slots=True, kw_only=True)
class Prog(Aggregate):
    name: str = ""
    n: int = 0
    def facts(self): return dict(programme=self.id, name=self.name, status="open", tenants=("a",), topics=(), policy=Policy(), policy_version=self.n)

PROGS = Collection(Prog, "programmes", due=True)

async def on_sub(event, work: Work):
    p = await work.get_or_new(Prog, event.subsidiary)
    work.save(p.becomes(name=event.name, n=p.n+1, due_at=work.now+timedelta(days=1)).saying(ProgrammeChanged))

async def wake(p, work):
    work.save(p.becomes(name="woke", due_at=None).saying(ProgrammeChanged))

def build(parts):
    return Service("enrolment", parts, consumes={SubsidiaryChanged: on_sub}, publishes=[ProgrammeChanged], keeps=[PROGS], due={Prog: wake})

async def test_it(tmp_path):
    async with hearing(build, tmp_path) as h:
        e = SubsidiaryChanged(seq=1, subsidiary="a", name="x", zone="Europe/Paris", languages=(), grades={})
        await h.hears(e, e)
        s = await h.said()
        assert len(s) == 1, s
        await h.hears(e)
        assert await h.said() == []
        p = await h.look(Prog, "a"); assert p.n == 1
        await h.passes(timedelta(days=2))
        assert [x.name for x in await h.said()] == ["woke"]
        assert await h.parked() == []
        async with h.client("a:1") as c:
            r = await c.get("/health/ready"); assert r.status_code == 200, r.text
