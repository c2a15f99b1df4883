// An event in words: what was decided, said or changed by it. Fields that no official reads (hashes, versions) are left out.
import type { Schemas } from "../api/client";
import { name, words, type Kind } from "../words";

type Event = Schemas["Happened"];
export interface Told {
  label: string;
  text: string;
}

const CODES: Record<string, [string, Kind]> = {
  decision: ["研判", "outcome"],
  lead: ["主办", "department"],
  category: ["类别", "category"],
  suggested: ["建议", "department"],
  clause: ["依据", "clause"],
};
const PLAIN: Record<string, string> = {
  reason: "理由", text: "内容", note: "备注", approver: "批准人", suggest: "建议转给", working_days: "延长（工作日）", into: "并入案件", out_of: "拆自案件",
  institution: "机构", months: "保存（月）",
};
const ANSWERS: Record<string, string> = { yes: "是", no: "否", unknown: "未表态" };
const ASKED: Record<string, string> = { solved: "是否解决", satisfied: "是否满意" };
const DISPATCHING = ["case.received", "case.re_dispatched", "case.designated", "case.reclassified", "case.returned"];

export function details(event: Event): Told[] {
  const data = { ...event.data, ...event.note } as Record<string, unknown>;
  const told: Told[] = [];
  for (const [field, [label, kind]] of Object.entries(CODES)) {
    if (typeof data[field] !== "string" || (["lead", "category", "decision"].includes(field) && !DISPATCHING.includes(event.kind))) continue;
    told.push({ label, text: name(kind, data[field] as string) });
  }
  if (typeof data.reason_code === "string") told.push({ label: "理由类别", text: reasonCode(data.reason_code) });
  for (const [field, label] of Object.entries(ASKED)) if (typeof data[field] === "string") told.push({ label, text: ANSWERS[data[field] as string] ?? String(data[field]) });
  for (const [field, label] of Object.entries(PLAIN)) {
    if (typeof data[field] === "string" || typeof data[field] === "number") told.push({ label, text: String(data[field]) });
  }
  if (data.contacted === true) told.push({ label: "先行联系", text: "已联系诉求人" });
  if (Array.isArray(data.members)) told.push({ label: "并入", text: `${data.members.length} 件` });
  return told;
}

function reasonCode(code: string): string {
  const all = words.all;
  return all?.hand_back[code] ?? all?.reason[code] ?? all?.return_reason[code] ?? code;
}

/** Who did it: people by the name that they gave, departments and the system by theirs. */
export function doer(event: Event): string {
  const part = typeof event.data.department === "string" ? event.data.department : "";
  const whose = words.all?.department[part] ?? words.all?.scope[part] ?? "";
  const who = event.actor === "system" ? "系统" : event.actor;
  return whose && whose !== who ? `${who}（${whose}）` : who;
}
