"""How fast triage is, beside its floor and beside what else one could take. Run: python -m tests.benchmarks.triage [--texts FILE].

FILE is *.jsonl or *.jsonl.gz, a `text` or `content` in each line; without it the shipped orders are read among invented noise.
Every row reads the same texts in the same run. Times are processor time of this process, the median of some rounds; only where
processes run side by side, and from start to ready, it is the clock on the wall. Goals are printed, never asserted.
"""

import argparse
import gzip
import json
import logging
import multiprocessing
import os
import platform
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import jieba
import orjson
import zen
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from models.complaint import Complaint
from models.ruleset import Rule, RuleSet
from service.engine import Engine
from service.rulebook import find_pack, load, read_folder

COUNT, ROUNDS, LEAST_SECONDS = 1000, 5, 0.2
SAMPLES = find_pack("beichen") / "samples" / "orders.jsonl"
READY = """
from pathlib import Path
from models.complaint import Complaint
from service.engine import Engine
from service.rulebook import find_pack, load, read_folder
Engine(load(read_folder(find_pack("beichen")))).triage(Complaint("孩子在舞蹈培训班，不退费。"))
print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""
"""A process that makes one decision and tells the most memory that it held, in kB (as Linux counts it)."""


Work = tuple[Callable[[Any], object], Sequence[Any]]
"""A function and the things to call it with, one after the other, so that all texts have been read once. What it answers is dropped."""


@dataclass(frozen=True)
class Row:
    """One way of reading all texts, and its processor time for each, in microseconds."""

    name: str
    work: Work
    times: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.times)


# What is read ---------------------------------------------------------------------------------------------------------------------


def texts_of(path: Path, count: int) -> list[str]:
    """So many texts of a file, spread evenly over it."""
    lines = (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).splitlines()
    rows = [orjson.loads(line) for line in lines]
    texts = [f"{row.get('title') or ''}\n{row.get('content') or row.get('text') or ''}".strip() for row in rows]
    step = max(len(texts) / count, 1)
    return [texts[int(number * step)] for number in range(int(len(texts) / step))]


def invented_texts(engine: Engine, count: int) -> list[str]:
    """Words that the pack does not know, as frequent as they are in Chinese; in one text of ten an order of the samples."""
    dice = random.Random(20221124)  # noqa: S311 - the same texts each time
    known = set(engine.plan.patterns)
    unknown = {word: weight for word, weight in _dictionary().items() if word not in known}
    words, weights = [*unknown, "，"], [*unknown.values(), sum(unknown.values()) // 6]
    orders = [orjson.loads(line)["content"] for line in SAMPLES.read_bytes().splitlines()]
    return ["".join(dice.choices(words, weights, k=170)) + (dice.choice(orders) if number % 10 == 0 else "") for number in range(count)]


def _dictionary() -> dict[str, int]:
    """Jieba's words and how frequent they are."""
    tokenizer = jieba.Tokenizer()
    tokenizer.initialize()
    return {word: weight for word, weight in tokenizer.FREQ.items() if weight}


# How it is read -------------------------------------------------------------------------------------------------------------------


def shipped() -> RuleSet:
    return load(read_folder(find_pack("beichen")))


def rules_with(ruleset: RuleSet, terms: int) -> RuleSet:
    """The shipped rule set with so many terms: 60 of its own, and words of the dictionary, in rules of the same kinds."""
    dice = random.Random(terms)  # noqa: S311 - the same words each time
    own = [term for rule in ruleset.rules for term in rule.terms if "{" not in term][::40][:60]
    words = [word for word in dice.sample(sorted(_dictionary()), 3 * terms) if 2 <= len(word) <= 4 and word not in own]
    chosen = [*own, *words][:terms]
    targets = [{"scope": "in"}, *({"category": code} for code in ruleset.ruleset.categories), *({"issue": code} for code in ruleset.issues)]
    made = [
        Rule.model_validate({"id": f"bench.r{number}", "name": "bench", "terms": chosen[number :: len(targets)], **target})
        for number, target in enumerate(targets)
    ]
    return ruleset.model_copy(update={"rules": tuple(made), "lists": {}, "aliases": {}, "words": ()})


def by_triage(engine: Engine, texts: list[str]) -> Work:
    return engine.triage, [Complaint(text) for text in texts]


def by_reading_on(engine: Engine, texts: list[str]) -> Work:
    """With the hotline's word that each is about training, so that the gate, which few terms hardly open, keeps none out."""
    return engine.triage, [Complaint(text, asserted_scope=True) for text in texts]


def by_bare_scan(engine: Engine, texts: list[str]) -> Work:
    """The automaton of all patterns of the pack over texts that were folded before: the least that any matching costs."""
    plan = engine.plan
    return plan.finder.find_overlapping, [plan.reader.read(Complaint(text)).text for text in texts]


def by_jieba(texts: list[str]) -> Work:
    tokenizer = jieba.Tokenizer()
    tokenizer.initialize()
    return partial(tokenizer.lcut, HMM=False), texts


def by_zen(ruleset: RuleSet, texts: list[str]) -> Work:
    """A decision table of 100 rows, each of which asks whether the text contains one term and names a category."""
    terms = [(term, rule.category) for rule in ruleset.rules if rule.category for term in rule.terms if "{" not in term]
    rows = [
        {"_id": f"r{number}", "in": f"contains($, {json.dumps(term, ensure_ascii=False)})", "out": f"'{category}'"}
        for number, (term, category) in enumerate(terms[:: len(terms) // 100][:100])
    ]
    table = {
        "hitPolicy": "collect",
        "inputs": [{"id": "in", "name": "text", "field": "text"}],
        "outputs": [{"id": "out", "name": "category", "field": "category"}],
        "rules": rows,
    }
    nodes: list[dict[str, object]] = [
        {"id": "a", "type": "inputNode", "name": "a"},
        {"id": "b", "type": "decisionTableNode", "name": "b", "content": table},
        {"id": "c", "type": "outputNode", "name": "c"},
    ]
    edges = [{"id": f"{one}{other}", "sourceId": one, "targetId": other, "type": "edge"} for one, other in ("ab", "bc")]
    decision = zen.ZenEngine().create_decision(json.dumps({"nodes": nodes, "edges": edges}))
    return decision.evaluate, [{"text": text} for text in texts]


def by_learning(engine: Engine, texts: list[str]) -> tuple[Work, Work]:
    """Character n-grams and a linear SVM, taught on these texts what triage decides: asked one by one, and all at once."""
    orders = [orjson.loads(line)["content"] for line in SAMPLES.read_bytes().splitlines()]
    known = [*orders, *texts]
    model = make_pipeline(TfidfVectorizer(analyzer="char", ngram_range=(1, 3)), LinearSVC())
    model.fit(known, [engine.triage(Complaint(text)).lead or "return" for text in known])
    return (model.predict, [[text] for text in texts]), (model.predict, [texts])


# Measuring ------------------------------------------------------------------------------------------------------------------------


def run(work: Work) -> None:
    read, items = work
    for item in items:
        read(item)


def measure(rows: Iterable[Row], texts: int) -> None:
    """Time each row once, so that round by round a busy neighbour disturbs all alike."""
    for row in rows:
        passes, began = 0, time.process_time()
        while passes == 0 or time.process_time() - began < LEAST_SECONDS:
            run(row.work)
            passes += 1
        row.times.append((time.process_time() - began) * 1e6 / passes / texts)


def ready() -> tuple[float, float]:
    """Seconds from the start of a process to its first decision and its end, and its memory in MB; the median of three."""
    seconds, sizes = [], []
    for _ in range(3):
        began = time.perf_counter()
        told = subprocess.run([sys.executable, "-c", READY], check=True, capture_output=True, text=True)
        seconds.append(time.perf_counter() - began)
        sizes.append(int(told.stdout) / 1024)
    return statistics.median(seconds), statistics.median(sizes)


_work: list[Work] = []


def _begin(texts: list[str]) -> None:
    _work.append(by_triage(Engine(shipped()), texts))


def _pass(_number: int) -> tuple[int, float]:
    """Read all texts once; which process it was, and its processor time."""
    began = time.process_time()
    run(_work[0])
    return os.getpid(), time.process_time() - began


def side_by_side(processes: int, texts: list[str]) -> tuple[float, float]:
    """Complaints a second of so many processes: by the clock on the wall, the best of three; and if each had a core to itself."""
    passes = 20 * processes
    walls: list[float] = []
    cores: list[float] = []
    with multiprocessing.get_context("spawn").Pool(processes, _begin, (texts,)) as pool:
        while len({process for process, _ in pool.map(_pass, range(4 * processes), 1)}) < processes:
            """Wait until every process has made its engine."""
        for _ in range(3):
            began = time.perf_counter()
            cores += [seconds for _, seconds in pool.map(_pass, range(passes), 1)]
            walls.append(time.perf_counter() - began)
    return passes * len(texts) / min(walls), processes * len(texts) / statistics.median(cores)


# Telling --------------------------------------------------------------------------------------------------------------------------


def say(line: str = "") -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def tell_goal(name: str, measured: float, goal: float, *, most: bool = False) -> None:
    met = measured <= goal if most else measured >= goal
    digits = 0 if measured >= 1000 else 2
    say(f"{name:<46}{measured:>10,.{digits}f}{'<=' if most else '>=':>10} {goal:>7,g}{'' if met else '   missed'}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--texts", type=Path, help="*.jsonl or *.jsonl.gz with `text` or `content`")
    parser.add_argument("--count", type=int, default=COUNT, help="how many texts of it")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    return parser.parse_args()


def rows_of(engine: Engine, texts: list[str]) -> dict[str, Row]:
    one_by_one, at_once = by_learning(engine, texts)
    few, many = (Engine(rules_with(engine.ruleset, terms)) for terms in (100, 10_000))
    return {
        "scan": Row("bare automaton scan", by_bare_scan(engine, texts)),
        "triage": Row("triage with evidence", by_triage(engine, texts)),
        "jieba": Row("cutting by jieba, HMM off", by_jieba(texts)),
        "zen": Row("zen-engine, table of 100 rows of contains", by_zen(engine.ruleset, texts)),
        "svm": Row("scikit-learn, char TF-IDF + LinearSVC", one_by_one),
        "svm at once": Row("the same, all texts at once", at_once),
        "few": Row("triage, generated pack of 100 terms", by_triage(few, texts)),
        "many": Row("triage, generated pack of 10,000 terms", by_triage(many, texts)),
        "few whole": Row("every text read to its end, 100 terms", by_reading_on(few, texts)),
        "many whole": Row("every text read to its end, 10,000 terms", by_reading_on(many, texts)),
    }


def tell_what_is_read(engine: Engine, texts: list[str]) -> None:
    terms, patterns = sum(len(rule.terms) for rule in engine.ruleset.rules), len(engine.plan.patterns)
    nothing = engine.triage(Complaint(""))
    closed = sum(engine.triage(Complaint(text)) is nothing for text in texts)
    say(f"{len(texts):,} texts of {sum(map(len, texts)) // len(texts)} characters on average; pack {engine.ruleset.pack}: {terms:,} terms,")
    say(f"{patterns:,} patterns; {100 - 100 * closed / len(texts):.1f} % of the texts are read beyond the gate.")
    say(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}.")


def tell_goals(rows: dict[str, Row], texts: list[str]) -> None:
    micros = {name: row.median for name, row in rows.items()}
    seconds, size = ready()
    (one, one_alone), (two, two_alone) = side_by_side(1, texts), side_by_side(2, texts)
    say(f"\n{'':<46}{'measured':>10}{'goal':>18}")
    tell_goal("triage : bare scan", micros["triage"] / micros["scan"], 5, most=True)
    tell_goal("jieba : triage", micros["jieba"] / micros["triage"], 15)
    tell_goal("zen-engine : triage", micros["zen"] / micros["triage"], 10)
    tell_goal("scikit-learn : triage", micros["svm"] / micros["triage"], 50)
    tell_goal("10,000 terms : 100 terms", micros["many"] / micros["few"], 3, most=True)
    tell_goal("the same, every text read to its end", micros["many whole"] / micros["few whole"], 3, most=True)
    tell_goal("complaints a second a core", 1e6 / micros["triage"], 30_000)
    tell_goal("two processes : one, by the clock on the wall", two / one, 1.8)
    tell_goal("the same, had each a core to itself", two_alone / one_alone, 1.8)
    tell_goal("memory of a process, MB", size, 300, most=True)
    tell_goal("from start to the first decision, s", seconds, 2, most=True)


def main() -> None:
    asked = arguments()
    logging.getLogger("jieba").setLevel(logging.WARNING)
    engine = Engine(shipped())
    texts = texts_of(asked.texts, asked.count) if asked.texts else invented_texts(engine, asked.count)
    tell_what_is_read(engine, texts)
    rows = rows_of(engine, texts)
    for _ in range(asked.rounds):
        measure(rows.values(), len(texts))
    say(f"\n{'':<46}{'us a text':>10}   min - max")
    for row in rows.values():
        say(f"{row.name:<46}{row.median:>10,.1f}   {min(row.times):,.1f} - {max(row.times):,.1f}")
    tell_goals(rows, texts)


if __name__ == "__main__":
    main()
