// Which departments a case could go to: what who handed it back, the decision, its runner-up, its question and past cases name, best first, each with why.
import type { Schemas } from "../api/client";
import { name, words } from "../words";

type Decision = Schemas["Decision"];
type Similar = Schemas["SimilarCase"];

export interface Candidate {
  department: string;
  /** Points of evidence; none for a department that only past cases or the question name. */
  score: number | null;
  why: string[];
}

/** Where an answer leads: to a department, or out of the matter. */
export function leadsTo(code: string): string {
  const all = words.all;
  return all?.department[code] ?? all?.evidence[`scope:${code}`] ?? all?.outcome[code] ?? all?.reason[code] ?? code;
}

export function candidates(triage: Decision, lead: string | null, similar: Similar[], suggested: string | null = null): Candidate[] {
  const found = new Map<string, Candidate>();
  const add = (department: string | null | undefined, why: string, score: number | null = null) => {
    if (!department || !words.all?.department[department]) return;
    const one = found.get(department) ?? { department, score: null, why: [] };
    if (!one.why.includes(why)) one.why.push(why);
    one.score ??= score;
    found.set(department, one);
  };
  const points = (code: string | null) => triage.categories.find((one) => one.code === code)?.score ?? null;
  add(suggested, "退单时的建议");
  add(triage.lead, triage.category ? `研判：${name("category", triage.category)}` : "研判", points(triage.category));
  add(lead, "现在的主办");
  const next = triage.runner_up;
  if (next) add(next.department, `次选${next.category ? `：${name("category", next.category)}` : ""}`, next.score);
  triage.ask?.options.forEach((option) => add(option.leads_to, `若答“${option.text}”`));
  tally(similar).forEach(([department, count]) => add(department, `相似的 ${count} 件由它主办`));
  triage.assists.forEach((assist) => add(assist.department, assist.issue ? `协办：${name("issue", assist.issue)}` : "协办"));
  return [...found.values()].slice(0, 9);
}

function tally(similar: Similar[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const one of similar) {
    const lead = one.right_lead ?? (one.upheld === false ? null : one.case.lead);
    if (lead) counts.set(lead, (counts.get(lead) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]);
}
