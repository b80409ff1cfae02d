"""Giving somebody all that a service holds of them: what the four have in common. What each holds is its own `commands`.

The answer travels as an event, sealed with a key that is made for one export (`seal`, `Key`): JWE with ECDH-ES over X25519 and A256GCM (RFC 7516, 8037).
The private half stays in enrolment's store until the archive is forgotten; what is left on a topic then is noise.
"""

import json
import zlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from joserfc import jwe
from joserfc.jwk import OKPKey

from amont.common.aggregate import Aggregate, Decision
from amont.common.documents.collection import Collection
from amont.common.events.exporting import ExportFact, ExportRequested
from amont.common.work import Work

A = TypeVar("A", bound=Aggregate)

MOST_OF_A_KIND = 5_000
"""Of what may be many (mails, sessions), the newest that an answer holds: it has to fit into one record."""

Kinds = Mapping[str, list[Any]]
"""What is held, by kind: JSON values."""
Gather = Callable[[Work, str, bool], Awaitable[Kinds]]
"""Everything about a person; with what they said for nobody else to read, or without."""


@dataclass(frozen=True, slots=True)
class Key:
    """One export's key, both halves, as the `x` and `d` of its JWK."""

    public: str
    secret: str

    @classmethod
    def new(cls) -> "Key":
        made = OKPKey.generate_key("X25519").as_dict(private=True)
        return cls(str(made["x"]), str(made["d"]))


def seal(content: Kinds, public: str) -> str:
    """Content that only the holder of the key can read."""
    plain = zlib.compress(json.dumps(content, ensure_ascii=False).encode())
    return jwe.encrypt_compact({"alg": "ECDH-ES", "enc": "A256GCM"}, plain, _jwk(x=public))


def unsealed(sealed: str, key: Key) -> dict[str, list[Any]]:
    """What was sealed for that key."""
    plain = jwe.decrypt_compact(sealed, _jwk(x=key.public, d=key.secret)).plaintext or b""
    found: dict[str, list[Any]] = json.loads(zlib.decompress(plain))
    return found


def _jwk(**halves: str) -> OKPKey:
    return OKPKey.import_key({"kty": "OKP", "crv": "X25519", **halves})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Aggregate):
    """An export that this service answers; the id is its reference. Whom it was about is forgotten once it is answered."""

    person: str
    key: str
    private: bool

    def facts(self) -> Mapping[str, Any]:
        return {"reference": self.id}


ANSWERS = Collection(Answer, "export_answers", due=True)


async def on_export_requested(event: ExportRequested, work: Work) -> None:
    """Begin to gather."""
    if await work.peek(Answer, event.reference) is None:
        answer = Answer(id=event.reference, person=event.person, key=event.seal, private=event.private, due_at=work.now)
        work.save(Decision(answer))


def answer(gather: Gather, tells: type[ExportFact]) -> Callable[[Answer, Work], Awaitable[None]]:
    """The handler of a service's answers."""

    async def wake(asked: Answer, work: Work) -> None:
        sealed = seal(await gather(work, asked.person, asked.private), asked.key)
        done = asked.becomes(person="", key="", due_at=None)
        work.save(done.saying(tells, sealed=sealed, at=work.now))

    return wake


def plain(collection: Collection[A], found: Iterable[A], *, without: Iterable[str] = ()) -> list[Any]:
    """Aggregates as JSON values: their own fields, without what only the shell or an index needs."""
    left_out = {"seq", "due_at", *without}
    values = []
    for aggregate in found:
        document = collection.dump(aggregate)
        fields = {name: value for name, value in document.items() if name in {"_id", *aggregate.__dataclass_fields__} - left_out}
        values.append({("id" if name == "_id" else name): value for name, value in fields.items()})
    return values
