// One page of the list, kept up to date by the feed: rows change where they stand, and new ones are only announced.
import { computed, ref, shallowRef, watch } from "vue";
import { api, ask, told, type Schemas } from "../../api/client";
import { onChanges, type Change } from "../../feed";
import { save } from "../../ui/saving";
import { asked, type CaseQuery, type Filters } from "./filters";

export type Summary = Schemas["CaseSummary"];

/** Milliseconds in which changes gather before the page is asked for again. */
const GATHER = 1_200;
/** Rows that left the list are looked up one by one, as long as they are few. */
const FEW = 10;
export const PAGE = 50;

export function useListing(filters: () => Filters, cursor: () => string) {
  const rows = shallowRef<Summary[]>([]);
  const next = ref<string | null>(null);
  const busy = ref(true);
  const trouble = ref("");
  const fresh = ref<Set<string>>(new Set());
  const total = ref<Schemas["CaseCount"] | null>(null);
  let turn = 0;
  let waiting: number | undefined;

  const query = computed<CaseQuery>(() => ({ ...asked(filters()), limit: PAGE, ...(cursor() && { cursor: cursor() }) }));
  const fetched = () => ask<Schemas["CasePage"]>(api.GET("/v1/cases", { params: { query: query.value } }));

  const condition = computed(() => JSON.stringify(asked(filters())));
  /** How many there are in all; the list does not wait for it. */
  async function tally(): Promise<void> {
    const mine = condition.value;
    const { order: _order, ...query } = asked(filters());
    const found = await ask<Schemas["CaseCount"]>(api.GET("/v1/cases/count", { params: { query } })).catch(() => null);
    if (mine === condition.value) total.value = found;
  }
  watch(condition, () => ((total.value = null), void tally()), { immediate: true });

  async function load(): Promise<void> {
    const mine = ++turn;
    busy.value = true;
    try {
      const page = await fetched();
      if (mine !== turn) return;
      rows.value = page.cases;
      next.value = page.next;
      fresh.value = new Set();
      trouble.value = "";
    } catch (error) {
      if (mine === turn) trouble.value = told(error);
    } finally {
      if (mine === turn) busy.value = false;
    }
  }

  async function renew(changed: Set<string>): Promise<void> {
    const mine = turn;
    void tally();
    const page = await fetched().catch(() => null);
    if (!page || mine !== turn) return;
    const found = new Map(page.cases.map((row) => [row.id, row]));
    const shown = new Set(rows.value.map((row) => row.id));
    for (const row of await gone(rows.value.filter((row) => changed.has(row.id) && !found.has(row.id)))) found.set(row.id, row);
    if (mine !== turn) return;
    rows.value = rows.value.map((row) => found.get(row.id) ?? row);
    if (!cursor()) page.cases.filter((row) => !shown.has(row.id)).forEach((row) => fresh.value.add(row.id));
  }

  let changed = new Set<string>();
  onChanges((changes: Change[]) => {
    changes.forEach((change) => change.case_id && changed.add(change.case_id));
    if (!changed.size || waiting !== undefined) return;
    waiting = window.setTimeout(() => {
      waiting = undefined;
      const now = changed;
      changed = new Set();
      void renew(now);
    }, GATHER);
  });
  watch(query, load, { immediate: true });
  return { rows, next, busy, trouble, fresh, total, load };
}

/** Rows that no longer meet the conditions, as they stand now. */
async function gone(rows: Summary[]): Promise<Summary[]> {
  const asked = rows.slice(0, FEW).map((row) => ask<Schemas["Case"]>(api.GET("/v1/cases/{case_id}", { params: { path: { case_id: row.id } } })));
  const settled = await Promise.allSettled(asked);
  return settled.flatMap((one) => (one.status === "fulfilled" && one.value ? [one.value] : []));
}

/** The list as an Excel file. */
export async function exported(filters: Filters): Promise<void> {
  const { order: _order, ...query } = asked(filters) as CaseQuery & { order?: string };
  const given = Object.entries({ ...query, format: "xlsx" }).map(([name, value]) => [name, String(value)]);
  await save(`/v1/cases/export?${new URLSearchParams(given)}`, "cases.xlsx");
}
