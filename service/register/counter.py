"""The register's counter: what `fenpai institutions` does with the database, while no service has it open for writing."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from models.register import ImportQuery, ImportReport, Institution
from models.ruleset import RuleSet
from service import db, rulebook, store
from service.config import Settings
from service.engine.names import Names
from service.engine.tokens import cutter
from service.errors import DatabaseInUse
from service.register.change import plan
from service.register.errors import RegisterInvalid, RegisterUnreadable
from service.register.export import as_csv
from service.register.imports import Wanted, new_ids, prepare, read_file, report, write

VIA_HTTP = (
    "服务正在运行时，请经接口导入："
    "curl --data-binary @文件 -H 'Authorization: Bearer 钥匙' -H 'Content-Type: text/csv' http://服务地址/v1/institutions/import"
)


@dataclass(frozen=True, slots=True)
class Counter:
    """The database, and the rule set by which it is read."""

    database: db.Database
    ruleset: RuleSet

    def bring_in(self, path: Path, how: ImportQuery, most: int) -> ImportReport:
        """Import a file; RegisterInvalid tells all mistakes at once, and nothing is written."""
        wanted = Wanted(read_file(_content(path, most), self.ruleset), how, path.name, "cli")
        now = datetime.now(UTC)
        if how.dry_run:
            with self.database.read() as conn:
                made = prepare(conn, wanted, now)
            return report(wanted, made, made[0], self.ruleset, cutter(frozenset()))
        with self._writing(), self.database.write() as conn:
            store.take_head(conn)
            made = prepare(conn, wanted, now)
            after = write(conn, wanted, made, now)
        return report(wanted, made, after or made[0], self.ruleset, cutter(frozenset()))

    def export(self) -> bytes:
        """The whole register as CSV."""
        with self.database.read() as conn:
            return as_csv(store.read_register(conn), self.ruleset)

    def search(self, words: str, category: str | None, status: str | None, most: int) -> list[Institution]:
        """The institutions that hold these words."""
        with self.database.read() as conn:
            folded = Names().reader.fold(words)
            return store.list_institutions(conn, search=folded, category=category, status=status, limit=most)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            with db.write_lock(self.database):
                yield
        except DatabaseInUse as error:
            raise DatabaseInUse(f"{error.detail}\n{VIA_HTTP}") from None


@contextmanager
def opened(settings: Settings, *, first: bool = False) -> Iterator[Counter]:
    """The counter of these settings, with the rule set that is in force in the database, or else the pack's.

    `first`: this may come before the first start, on a database that has no tables yet.
    """
    with closing(db.connect(settings.database_url)) as database:
        if first and db.revision(database) is None:
            db.upgrade(database)
        db.check(database)
        yield Counter(database, _ruleset(database, settings.folder))


def from_file(path: Path, ruleset: RuleSet, most: int) -> tuple[Institution, ...]:
    """The institutions of a file that stands for a register; RegisterInvalid tells what is wrong with it."""
    drafts = read_file(_content(path, most), ruleset)
    made = plan(drafts, (), new_ids(datetime.now(UTC)), replace_all=True, source=path.name)
    if drafts.faults or made.faults:
        raise RegisterInvalid(rows=[*drafts.faults, *made.faults])
    return made.after


def _ruleset(database: db.Database, pack: str) -> RuleSet:
    folder = rulebook.load(rulebook.read_folder(rulebook.find_pack(pack)))
    with database.read() as conn:
        row = store.active_ruleset(conn, folder.pack)
        if row is None or row.digest == folder.digest:
            return folder
        return rulebook.load(store.ruleset_files(conn, row.pack, row.version), row.version)


def _content(path: Path, most: int) -> bytes:
    data = path.read_bytes()
    if len(data) > most:
        raise RegisterUnreadable(f"{path} 有 {len(data):,} 字节，最多 {most:,}（FENPAI_MAX_REGISTER_BYTES）。")
    return data
