"""What is counted and timed for /metrics. A registry of its own for each app, none of the process."""

from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from models.complaint import Complaint
from models.decision import Decision
from models.ruleset import Status
from service.active import ActiveRules
from service.casework import Clockwork
from service.dispatcher import Dispatcher
from service.register import ActiveRegister
from service.store import Case
from service.warden import Warden
from service.watch import Watch

QUICK = (0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05)
ANSWER = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60)
GROUP = (1, 2, 4, 8, 16, 32, 64, 128, 256)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Others are counted as one: a caller may invent any number of them."""


class Traces(Protocol):
    """Hears of each request that is over (service/tracing.py, where it is wanted)."""

    def request(self, method: str, route: str, status: int, seconds: float, facts: dict[str, str]) -> None: ...

    def close(self) -> None: ...


class Meters:
    """The counters of one app."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._requests = Counter("fenpai_requests", "请求数", ["method", "route", "status"], registry=self.registry)
        self._seconds = Histogram("fenpai_request_seconds", "请求用时", ["route"], buckets=ANSWER, registry=self.registry)
        self._decisions = Counter("fenpai_decisions", "新案件的研判结果", ["decision", "reason_code"], registry=self.registry)
        self._triage = Histogram("fenpai_triage_seconds", "研判用时", buckets=QUICK, registry=self.registry)
        self._group = Histogram("fenpai_writer_group_cases", "一次提交的案件数", buckets=GROUP, registry=self.registry)
        self._deliveries = Counter("fenpai_deliveries", "送出的消息，按结果", ["outcome"], registry=self.registry)
        self._sending = Histogram("fenpai_delivery_seconds", "送一次的用时", buckets=ANSWER, registry=self.registry)
        self._refused_keys = Counter("fenpai_refused_keys", "不对的钥匙，按结果", ["outcome"], registry=self.registry)
        # Finding a labelled counter takes longer than counting.
        self._known: dict[tuple[str, str, int], Counter] = {}
        self._timed: dict[str, Histogram] = {}
        self._decided: dict[tuple[str, str], Counter] = {}

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer."""
        key = (method, route, status)
        counter = self._known.get(key)
        if counter is None:
            labels = (method if method in METHODS else "OTHER", route, str(status))
            counter = self._known[key] = self._requests.labels(*labels)
            self._timed.setdefault(route, self._seconds.labels(route))
        counter.inc()
        self._timed[route].observe(seconds)

    def timed(self, triage: Callable[[Complaint], Decision]) -> Callable[[Complaint], Decision]:
        """A triage with its time taken."""

        def timed(complaint: Complaint) -> Decision:
            began = perf_counter()
            decision = triage(complaint)
            self._triage.observe(perf_counter() - began)
            return decision

        return timed

    def decided(self, case: Case) -> None:
        """Count the decision on a new case."""
        key = (case.decision, case.reason_code)
        counter = self._decided.get(key)
        if counter is None:
            counter = self._decided[key] = self._decisions.labels(*key)
        counter.inc()

    def committed(self, cases: int) -> None:
        """Count how many cases one transaction holds."""
        self._group.observe(cases)

    def delivered(self, outcome: str, seconds: float) -> None:
        """Count one sending: sent, failed, dead or gone."""
        self._deliveries.labels(outcome).inc()
        self._sending.observe(seconds)

    def refused_key(self, outcome: str) -> None:
        """Count one wrong key: refused, or limited."""
        self._refused_keys.labels(outcome).inc()

    def watch(self, name: str, what: str, value: Callable[[], float]) -> None:
        """Show a number that is read when it is asked for."""
        Gauge(name, what, registry=self.registry).set_function(value)

    def show_rules(self, rules: ActiveRules) -> None:
        """Show which rule set is in force, and whether another one should be."""
        self.registry.register(_RulesetInfo(rules))
        self.watch("fenpai_ruleset_trouble", "1 表示启用的版本没有装入", lambda: float(rules.trouble is not None))

    def show_watch(self, watch: Watch | None) -> None:
        """Show whether what stands in the watched folder could not be published."""
        if watch is not None:
            self.watch("fenpai_rules_dir_trouble", "1 表示监视的规则文件夹没有启用", lambda: float(watch.trouble is not None))

    def show_warden(self, rules: ActiveRules, warden: Warden) -> None:
        """Show how many rules are in quarantine, and whether the ledger could not do what it should."""
        self.watch("fenpai_rules_quarantined", "在用规则集里停用待查的规则数", lambda: quarantined(rules))
        self.watch("fenpai_warden_trouble", "1 表示台账的自动停用出错", lambda: float(warden.trouble is not None))

    def show_register(self, register: ActiveRegister) -> None:
        """Show which register is in force, and whether another one should be."""
        self.watch("fenpai_register_revision", "在用名录的版本", lambda: register.mark.revision)
        self.watch("fenpai_register_institutions", "在用名录的机构数", lambda: register.size)
        self.watch("fenpai_register_trouble", "1 表示名录的新版本没有装入", lambda: float(register.trouble is not None))

    def show_outbox(self, dispatcher: Dispatcher) -> None:
        """Show how much waits to be delivered, for how long the oldest of it, and how much was given up."""
        self.watch("fenpai_outbox_depth", "待送达的消息数", lambda: dispatcher.state.pending)
        self.watch("fenpai_outbox_age_seconds", "最早的一条已等待的秒数", lambda: dispatcher.age)
        self.watch("fenpai_outbox_dead", "放弃的消息数", lambda: dispatcher.state.dead)
        self.watch("fenpai_dispatcher_trouble", "1 表示送达程序出错", lambda: float(dispatcher.trouble is not None))

    def show_clocks(self, clockwork: Clockwork) -> None:
        """Show how late the timers strike, and whether they could not."""
        self.watch("fenpai_clock_lag_seconds", "最早到期的定时器已等待的秒数", lambda: clockwork.lag)
        self.watch("fenpai_clockwork_trouble", "1 表示定时器出错", lambda: float(clockwork.trouble is not None))

    def text(self) -> bytes:
        return generate_latest(self.registry)


def quarantined(rules: ActiveRules) -> float:
    return float(sum(rule.status is Status.QUARANTINED for rule in rules.engine.ruleset.rules))


class _RulesetInfo(Collector):
    """The rule set in force, as labels."""

    def __init__(self, rules: ActiveRules) -> None:
        self._rules = rules

    def collect(self) -> Iterator[GaugeMetricFamily]:
        ref = self._rules.row
        family = GaugeMetricFamily("fenpai_ruleset_info", "在用的规则集", labels=["pack", "version", "digest"])
        family.add_metric([ref.pack, str(ref.version), ref.digest], 1)
        yield family
