"""How this is usually built, as a baseline: a plain route in FastAPI's threads, jieba for each text, an ORM session for each request."""

import os
from collections import Counter
from datetime import UTC, datetime
from uuid import uuid4

import jieba
from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import ForeignKey, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

from service import rulebook
from tests.benchmarks._echo import Order


class Base(DeclarativeBase):
    """The tables below."""


class Case(Base):
    """A case, with what it is listed by."""

    __tablename__ = "usual_cases"
    id: Mapped[str] = mapped_column(primary_key=True)
    source_order_no: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(index=True)
    lead: Mapped[str] = mapped_column(index=True)
    title: Mapped[str]
    content: Mapped[str]
    words: Mapped[str]


class Event(Base):
    """What happened to a case."""

    __tablename__ = "usual_events"
    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("usual_cases.id"), index=True)
    kind: Mapped[str]


class Letter(Base):
    """What is to be delivered."""

    __tablename__ = "usual_letters"
    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("usual_cases.id"), index=True)
    department: Mapped[str]


class Out(BaseModel):
    """The answer."""

    id: str
    lead: str
    words: list[str]


RULES = rulebook.load(rulebook.read_folder(rulebook.find_pack("beichen")))
WORDS = {term: rule.category for rule in RULES.rules if rule.category for term in rule.terms}
database = create_engine(os.environ["BENCH_DATABASE"])


@event.listens_for(database, "connect")
def _open(raw: object, _record: object) -> None:
    if database.dialect.name == "sqlite":
        raw.execute("PRAGMA journal_mode = WAL")  # type: ignore[attr-defined]
        raw.execute("PRAGMA synchronous = FULL")  # type: ignore[attr-defined]


Base.metadata.create_all(database)
sessions = sessionmaker(database)
for word in WORDS:
    jieba.add_word(word)
app = FastAPI()


@app.post("/cases", status_code=201)
def receive(order: Order) -> Out:
    """Cut, look up, store, answer."""
    words = [word for word in jieba.lcut(f"{order.title}\n{order.content}") if word in WORDS]
    best = Counter(WORDS[word] for word in words).most_common(1)
    lead = RULES.ruleset.categories[best[0][0]].department if best and best[0][0] else RULES.ruleset.coordinator
    case = Case(
        id=uuid4().hex,
        source_order_no=order.source_order_no,
        created_at=datetime.now(UTC),
        lead=lead,
        title=order.title,
        content=order.content,
        words="、".join(words),
    )
    session: Session
    with sessions() as session:
        session.add(case)
        session.flush()
        session.add_all([Event(case_id=case.id, kind="received"), Letter(case_id=case.id, department=lead)])
        session.commit()
        return Out(id=case.id, lead=lead, words=words)
