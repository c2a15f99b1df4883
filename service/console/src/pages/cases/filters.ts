// Which cases are listed: read from the address and written to it, and turned into what the API asks.
import type { LocationQuery } from "vue-router";
import type { paths } from "../../api/schema";
import { day, startOf } from "../../time";

export type CaseQuery = NonNullable<paths["/v1/cases"]["get"]["parameters"]["query"]>;

const PLAIN = ["status", "decision", "department", "lead", "category", "issue", "urgency", "street", "source_order_no", "institution", "merged_into", "missing", "incident"] as const;
const NAMES = [...PLAIN, "overdue", "from", "to", "order"] as const;
const DATE = /^\d{4}-\d\d-\d\d$/;
export type Filters = Record<(typeof NAMES)[number], string>;

export function readFilters(query: LocationQuery): Filters {
  const found = Object.fromEntries(NAMES.map((name) => [name, one(query[name])])) as Filters;
  for (const name of ["from", "to"] as const) if (!DATE.test(found[name])) found[name] = ""; // an address cut short or mistyped
  return found;
}

/** Only what is asked stands in the address. */
export function written(filters: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== "" && value !== undefined)) as Record<string, string>;
}

export function asked(filters: Filters): CaseQuery {
  const plain = PLAIN.filter((name) => filters[name]).map((name) => [name, filters[name]]);
  const times = { created_from: filters.from && startOf(filters.from), created_to: filters.to && startOf(nextDay(filters.to)) };
  const rest = { ...written(times), ...(filters.overdue && { overdue: true }), ...(filters.order === "changed" && { order: "changed" }) };
  return { ...Object.fromEntries(plain), ...rest } as CaseQuery;
}

/** How many conditions are set; the order is none. */
export function count(filters: Filters): number {
  return NAMES.filter((name) => name !== "order" && filters[name]).length;
}

/** What is typed to find a case: its number, unless it is the name of an institution. */
export function sought(text: string): Pick<Filters, "source_order_no" | "institution"> {
  const numbered = /\d{4}/.test(text) || !/\p{Script=Han}/u.test(text);
  return numbered ? { source_order_no: text, institution: "" } : { source_order_no: "", institution: text };
}

export function nextDay(date: string): string {
  return day(new Date(new Date(startOf(date)).getTime() + 86_400_000));
}

export function one(value: LocationQuery[string] | undefined): string {
  return (Array.isArray(value) ? value[0] : value) ?? "";
}
