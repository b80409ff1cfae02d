"""Whole conversations as Entra and Okta have them, step by step: what is answered, and what it says to the inbound topic.

`conversations/*.json` are made up after what the two document and send: one request a line with its status, a part of its answer, the kinds of record
that come of it (`told`) and some of the last one's fields (`record`). `keep` names the id of the answer for later steps.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.services.enrolment.scim.door import scene

FOLDER = Path(__file__).parent / "conversations"


def holds(answer: Any, expected: Any) -> bool:
    """Whether an answer has what is expected; a list has the expected elements in order and no others."""
    if isinstance(expected, Mapping):
        return isinstance(answer, Mapping) and all(name in answer and holds(answer[name], value) for name, value in expected.items())
    if isinstance(expected, list):
        return isinstance(answer, list) and len(answer) == len(expected) and all(map(holds, answer, expected))
    return bool(answer == expected)


@pytest.mark.parametrize("provider", ["entra", "okta"])
async def test_a_whole_conversation_ends_as_it_should(provider: str, tmp_path: Path) -> None:
    kept: dict[str, str] = {}

    def filled(text: str) -> str:
        for name, id_ in kept.items():
            text = text.replace(f"{{{name}}}", id_)
        return text

    async with scene(tmp_path) as door:
        for number, step in enumerate(json.loads((FOLDER / f"{provider}.json").read_text(encoding="utf-8"))):
            where = f"{provider}, step {number}: {step['ask']}"
            method, path = filled(step["ask"]).split(" ")
            body = filled(json.dumps(step["body"])).encode() if "body" in step else None
            answer = await door.fr(method, path, body)
            assert answer.status_code == step["status"], (where, answer.text)
            assert holds(answer.json() if answer.content else {}, json.loads(filled(json.dumps(step.get("answer", {}))))), (
                where,
                answer.text,
            )
            assert "s3cr3t" not in answer.text
            if "keep" in step:
                kept[step["keep"]] = answer.json()["id"]
            told = await door.told()
            if "told" in step:
                assert [type(one).__name__ for one in told] == step["told"], where
            if "record" in step:
                assert holds(told[-1].model_dump(mode="json"), step["record"]), (where, told)
        assert not await door.hearing.parked()
