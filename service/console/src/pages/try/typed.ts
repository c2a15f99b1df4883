// What is typed on this page. It lives as long as the tab and is kept nowhere: a complaint may name people.
import { reactive } from "vue";
import type { Schemas } from "../../api/client";

export type Complaint = Schemas["ComplaintIn"];

/** An answer that was clicked, with the question it answers. */
export interface Answer {
  code: string;
  question: string;
  value: string;
  text: string;
}

export const typed = reactive({
  title: "",
  content: "",
  institution: "",
  street: "",
  demand_type: "" as Schemas["DemandType"] | "",
  asserted_scope: false,
  answers: [] as Answer[],
  draft: "",
});

/** The complaint as the service takes it; null as long as there is nothing to judge. */
export function complaint(): Complaint | null {
  if (!typed.content.trim()) return null;
  const { title, content, institution, street, asserted_scope } = typed;
  const answers = Object.fromEntries(typed.answers.map((one) => [one.code, one.value]));
  return { title, content, institution, street, asserted_scope, demand_type: typed.demand_type || null, address: "", answers };
}

export function answer(given: Answer): void {
  withdraw(given.code);
  typed.answers.push(given);
}

export function withdraw(code: string): void {
  typed.answers = typed.answers.filter((one) => one.code !== code);
}

export function clear(): void {
  Object.assign(typed, { title: "", content: "", institution: "", street: "", demand_type: "", asserted_scope: false, answers: [] });
}
