// In what two decisions on the same complaint differ, in words.
import { name } from "../../words";
import type { Decision } from "./judging";

export interface Different {
  label: string;
  before: string;
  after: string;
}

const TOLD: [string, (one: Decision) => string][] = [
  ["结论", (one) => name("outcome", one.decision)],
  ["主办", (one) => name("department", one.lead)],
  ["协办", (one) => listed(one.assists.map((assist) => name("department", assist.department)))],
  ["理由", (one) => name("reason", one.reason_code)],
  ["机构类别", (one) => name("category", one.category)],
  ["问题类型", (one) => listed(one.issues.map((code) => name("issue", code)))],
  ["紧急程度", (one) => name("urgency", one.urgency)],
];

function listed(names: string[]): string {
  return names.join("、") || "无";
}

export function differences(before: Decision, after: Decision): Different[] {
  return TOLD.map(([label, tell]) => ({ label, before: tell(before), after: tell(after) })).filter((one) => one.before !== one.after);
}
