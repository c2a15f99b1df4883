// What waits for a person's judgement: one queue a state, the longest waiting first, kept up to date by the feed.
import { computed, ref, shallowRef, watch, type Ref } from "vue";
import { api, ask, told, type Schemas } from "../../api/client";
import { onChanges } from "../../feed";

export type Summary = Schemas["CaseSummary"];
export const QUEUES = ["escalated", "handed_back", "returned"] as const;
export type QueueName = (typeof QUEUES)[number];

/** Cases of a queue that are shown at once; behind them more may wait. */
const SHOWN = 50;
const GATHER = 1_200;

export function useQueue(which: Ref<QueueName>, settled: Ref<Set<string>>) {
  const pages = shallowRef<Partial<Record<QueueName, Schemas["CasePage"]>>>({});
  const busy = ref(true);
  const trouble = ref("");
  let waiting: number | undefined;

  const rows = computed(() => (pages.value[which.value]?.cases ?? []).filter((row) => !settled.value.has(row.id)));
  const counts = computed(() => Object.fromEntries(QUEUES.map((queue) => [queue, counted(pages.value[queue], settled.value)])));

  async function load(): Promise<void> {
    try {
      const found = await Promise.all(QUEUES.map((status) => ask<Schemas["CasePage"]>(api.GET("/v1/cases", { params: { query: { status, order: "changed", limit: SHOWN } } }))));
      pages.value = Object.fromEntries(QUEUES.map((queue, at) => [queue, found[at]]));
      trouble.value = "";
    } catch (error) {
      trouble.value = told(error);
    } finally {
      busy.value = false;
    }
  }
  onChanges((changes) => {
    if (waiting !== undefined || !changes.some((change) => change.case_id)) return;
    waiting = window.setTimeout(() => {
      waiting = undefined;
      void load();
    }, GATHER);
  });
  watch(which, load, { immediate: true });
  return { rows, counts, busy, trouble, load };
}

function counted(page: Schemas["CasePage"] | undefined, settled: Set<string>): string {
  if (!page) return "";
  const left = page.cases.filter((row) => !settled.has(row.id)).length;
  return page.next ? `${left}+` : String(left);
}
