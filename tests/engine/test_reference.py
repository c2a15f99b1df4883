"""The fast engine gives the verdict of the slow one: on the shipped samples, on texts made of rule words, and on any folder of texts.

FENPAI_TEST_TEXTS names a folder; every line of its *.jsonl and *.jsonl.gz files that has a `text` or `content` is compared, too.
"""

import gzip
import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.complaint import Complaint, RegisterHit
from models.ruleset import RuleSet
from service.engine import Engine
from tests.engine.reference import Reference, verdict_of
from tests.engine.texts import complaints, written

FOLDER = os.environ.get("FENPAI_TEST_TEXTS", "")


@pytest.fixture(scope="module")
def reference(shipped_rules: RuleSet) -> Reference:
    return Reference(shipped_rules)


def assert_agree(engine: Engine, reference: Reference, complaint: Complaint) -> None:
    """The same verdict; but a text with nothing to listen for may be out of scope for a reason that the pack does not listen for."""
    decision = engine.triage(complaint)
    fast, slow = verdict_of(decision), reference.verdict(complaint)
    unheard = {f"out_{code}" for code in slow.reason.removeprefix("out_").split() if code not in engine.ruleset.ruleset.listen}
    if fast.reason == "no_evidence" and not decision.evidence and slow.reason in unheard:
        slow = replace(slow, reason="no_evidence")
    if fast.reason == "no_evidence" and not decision.evidence:
        slow = replace(slow, certainty=0)
    assert fast == slow, complaint


def test_on_the_shipped_samples(shipped: Engine, reference: Reference, samples: list[Complaint]) -> None:
    for sample in samples:
        assert_agree(shipped, reference, sample)


def test_on_samples_with_a_register(shipped: Engine, reference: Reference, samples: list[Complaint]) -> None:
    told = [
        ("exact", "institution", "arts", "在办"),
        ("alias", "content", None, "注销"),
        ("fuzzy", "title", "subject", "停办"),
        ("exact", "", "unknown", "没有的"),
        ("absent", "institution", None, ""),
    ]
    hits = [RegisterHit("某机构", category, status, how, field=field) for how, field, category, status in told]
    for sample, hit in zip(samples[::3], cycle(hits), strict=False):
        assert_agree(shipped, reference, replace(sample, register=hit))


@given(data=st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_on_texts_made_of_rule_words(shipped: Engine, reference: Reference, shipped_words: list[str], data: st.DataObject) -> None:
    assert_agree(shipped, reference, data.draw(complaints(written(shipped_words) | written(shipped_words, 3))))


@pytest.mark.skipif(not FOLDER, reason="FENPAI_TEST_TEXTS names no folder of texts")
@pytest.mark.timeout(3600)
def test_on_the_texts_of_a_folder(shipped: Engine, reference: Reference) -> None:
    distinct = {(each.content, each.title, each.institution): each for each in _texts(Path(FOLDER))}
    assert distinct
    for complaint in distinct.values():
        assert_agree(shipped, reference, complaint)


def _texts(folder: Path) -> Iterator[Complaint]:
    for path in sorted([*folder.glob("*.jsonl"), *folder.glob("*.jsonl.gz")]):
        lines = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for row in map(orjson.loads, lines.splitlines()):
            yield Complaint(row.get("content") or row.get("text") or "", row.get("title") or "", row.get("institution") or "")
