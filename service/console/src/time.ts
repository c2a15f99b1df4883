// Times are told in Beijing time, whatever the clock of the browser says.
const ZONE = "Asia/Shanghai";
const parts = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat("zh-CN", { timeZone: ZONE, hourCycle: "h23", ...options });
const MOMENT = parts({ year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" });
const SECOND = parts({ year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat("sv-SE", { timeZone: ZONE });

type When = string | Date | null | undefined;

/** 2026/11/25 09:30 */
export function moment(at: When): string {
  return at ? MOMENT.format(new Date(at)) : "—";
}

/** 2026/11/25 09:30:12 */
export function second(at: When): string {
  return at ? SECOND.format(new Date(at)) : "—";
}

/** 2026-11-25, the calendar day in Beijing. */
export function day(at: Date): string {
  return DAY.format(at);
}

/** The start of a calendar day in Beijing, as the API takes it. */
export function startOf(date: string): string {
  return `${date}T00:00:00+08:00`;
}

/** "还有 2 小时 5 分", "超过 3 天" */
export function until(at: When, now: number): string {
  if (!at) return "—";
  const left = new Date(at).getTime() - now;
  return `${left >= 0 ? "还有" : "超过"} ${span(Math.abs(left))}`;
}

/** A length of time in its two largest units. */
export function span(milliseconds: number): string {
  const minutes = Math.floor(milliseconds / 60_000);
  if (minutes < 60) return `${minutes} 分钟`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} 小时${minutes % 60 ? ` ${minutes % 60} 分` : ""}`;
  return `${Math.floor(hours / 24)} 天${hours % 24 ? ` ${hours % 24} 小时` : ""}`;
}
