// Where a case goes, as impact counts it: a department, `escalate:` one that decides, or `return`.
import type { Schemas } from "../../../api/client";
import { name } from "../../../words";

export type Move = Schemas["MoveTold"];
type Seen = Schemas["SeenTold"];

export function wayOf({ decision, lead }: Seen): string {
  if (decision === "return") return decision;
  return decision === "escalate" ? `${decision}:${lead}` : String(lead);
}

export function told(way: string): string {
  const [outcome, department] = way.split(":");
  if (department) return `${name("outcome", outcome)}：${name("department", department)}`;
  return name("outcome", way) === way ? name("department", way) : name("outcome", way);
}
