// The text of /metrics (Prometheus) as figures that people read at a glance.
export interface Figure {
  label: string;
  value: string;
  /** Whether this is out of order. */
  bad?: boolean;
}

type Sample = { name: string; labels: string; value: number };

function samples(text: string): Sample[] {
  return [...text.matchAll(/^([a-z_]+)(?:\{([^}]*)\})? ([-+\d.eE]+|NaN|[+-]Inf)$/gm)].map(([, name, labels, value]) => ({ name: name!, labels: labels ?? "", value: Number(value) }));
}

export function figures(text: string): Figure[] {
  const all = samples(text);
  const sum = (name: string, labels = /(?:)/) => all.filter((one) => one.name === name && labels.test(one.labels)).reduce((total, one) => total + one.value, 0);
  const mean = (name: string) => (sum(`${name}_count`) ? `${((1000 * sum(`${name}_sum`)) / sum(`${name}_count`)).toFixed(1)} 毫秒` : "—");
  const requests = sum("fenpai_requests_total");
  const failed = sum("fenpai_requests_total", /status="5/);
  const dead = sum("fenpai_outbox_dead");
  const age = sum("fenpai_outbox_age_seconds");
  const resting = sum("fenpai_rules_quarantined");
  const troubled = all.filter((one) => one.name.endsWith("_trouble") && one.value > 0).length;
  return [
    { label: "请求", value: `${requests} 次` },
    { label: "服务出错", value: `${failed} 次`, bad: failed > 0 },
    { label: "研判平均用时", value: mean("fenpai_triage_seconds") },
    { label: "研判", value: `${sum("fenpai_triage_seconds_count")} 件` },
    { label: "等待写入", value: `${sum("fenpai_writer_waiting")} 件` },
    { label: "待送达", value: `${sum("fenpai_outbox_depth")} 条` },
    { label: "最早的已等", value: `${Math.round(age)} 秒`, bad: age > 300 },
    { label: "放弃的送达", value: `${dead} 条`, bad: dead > 0 },
    { label: "停用待查的规则", value: `${resting} 条`, bad: resting > 0 },
    { label: "名录", value: `${sum("fenpai_register_institutions")} 家` },
    { label: "后台工作的毛病", value: `${troubled} 处`, bad: troubled > 0 },
    { label: "内存", value: `${Math.round(sum("process_resident_memory_bytes") / 1_048_576)} MB` },
  ];
}
