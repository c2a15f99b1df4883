// What must or may be said with each move (the bodies of POST /v1/cases/{id}/{move}), and by which control each thing is asked for.
import { options, type Kind as Codes } from "./words";

export type Control = "words" | "line" | "number" | "flag" | "choice" | "several";

export interface Field {
  name: string;
  label: string;
  control: Control;
  options?: () => { value: string; label: string }[];
  any?: string;
}

const of = (kind: Codes) => () => options(kind);
const ANSWERS = () => [{ value: "yes", label: "是" }, { value: "no", label: "否" }, { value: "unknown", label: "未表态" }];
const YES_NO = () => [{ value: "true", label: "是" }, { value: "false", label: "否" }];

const reason: Field = { name: "reason", label: "理由", control: "words" };
const note: Field = { name: "note", label: "备注", control: "words" };
const text: Field = { name: "text", label: "内容", control: "words" };
const lead: Field = { name: "lead", label: "主办单位", control: "choice", options: of("department"), any: "请选择" };
const clause: Field = { name: "clause", label: "依据的条款", control: "choice", options: of("clause"), any: "请选择" };

const DISPATCH: Field[] = [
  lead,
  { name: "assists", label: "协办单位", control: "several", options: of("department") },
  { name: "complex", label: "是否复杂、疑难", control: "choice", options: YES_NO, any: "不变" },
  reason,
];

export const FIELDS: Record<string, Field[]> = {
  accept: [{ name: "contacted", label: "已先行联系诉求人", control: "flag" }, note],
  "hand-back": [
    { name: "reason_code", label: "退单理由", control: "choice", options: of("hand_back"), any: "请选择" },
    { ...text, label: "退单说明：事实与理由" },
    clause,
    { name: "suggested", label: "建议的承办单位", control: "choice", options: of("department"), any: "不写" },
  ],
  uphold: [note],
  reject: [reason],
  "re-dispatch": DISPATCH,
  designate: DISPATCH,
  extend: [{ name: "working_days", label: "延长多少个工作日", control: "number" }, { name: "approver", label: "批准人", control: "line" }, reason],
  "assist-reply": [{ ...text, label: "协办意见" }],
  reply: [{ ...text, label: "答复内容" }],
  complete: [note],
  "follow-up": [
    { name: "solved", label: "是否解决", control: "choice", options: ANSWERS, any: "请选择" },
    { name: "satisfied", label: "是否满意", control: "choice", options: ANSWERS, any: "请选择" },
    { name: "reached", label: "回访成功", control: "choice", options: YES_NO, any: "是" },
    note,
  ],
  redo: [reason],
  archive: [note],
  urge: [note],
  supervise: [reason],
  reclassify: [
    { name: "category", label: "正确的机构类别", control: "choice", options: of("category"), any: "不变" },
    { ...lead, label: "正确的主办单位", any: "不变" },
    { name: "issues", label: "问题类型", control: "several", options: of("issue") },
    reason,
  ],
  merge: [{ name: "into", label: "并入哪个案件（案件编号）", control: "line" }, reason],
  unmerge: [reason],
  return: [
    { name: "reason_code", label: "退回理由", control: "choice", options: of("return_reason"), any: "请选择" },
    { ...text, label: "退回说明" },
    { ...clause, any: "不写" },
    { name: "suggest", label: "建议热线转给谁", control: "line" },
  ],
  pause: [reason],
  resume: [note],
  recompute: [note],
};

/** The typed values as the API takes them: what was left empty is not said. */
export function saidOf(fields: Field[], typed: Record<string, unknown>): Record<string, unknown> {
  const said: Record<string, unknown> = {};
  for (const { name, control, options: given } of fields) {
    const value = typed[name];
    if (value === undefined || value === "" || value === null) continue;
    said[name] = control === "choice" && given === YES_NO ? value === "true" : control === "number" ? Number(value) : value;
  }
  return said;
}
