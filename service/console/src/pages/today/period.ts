// The period that is looked at: chosen by name or by two days, and kept in the address.
import type { LocationQuery } from "vue-router";
import { nextDay, one } from "../cases/filters";
import { day, startOf } from "../../time";

export const PERIODS = [
  { value: "today", label: "今天", days: 1 },
  { value: "week", label: "7 天", days: 7 },
  { value: "month", label: "30 天", days: 30 },
] as const;

export interface Period {
  /** Which of PERIODS; "own" for two days that were given. */
  name: string;
  from: string;
  to: string;
}

export function readPeriod(query: LocationQuery, today = day(new Date())): Period {
  const [from, to] = [one(query.from), one(query.to)];
  if (from && to && from <= to) return { name: "own", from, to };
  const chosen = PERIODS.find((period) => period.value === query.period) ?? PERIODS[0];
  return { name: chosen.value, from: before(today, chosen.days - 1), to: today };
}

/** So many days before a day. */
export function before(date: string, days: number): string {
  return day(new Date(new Date(startOf(date)).getTime() - days * 86_400_000));
}

/** The list of the complaints that were counted: incidents are made of them and not counted beside them. */
export function within({ from, to }: Pick<Period, "from" | "to">): Record<string, string> {
  return { from, to, incident: "false" };
}

/** As the API takes it: until the end of the last day. */
export function bounds({ from, to }: Pick<Period, "from" | "to">): { since: string; until: string } {
  return { since: startOf(from), until: startOf(nextDay(to)) };
}
