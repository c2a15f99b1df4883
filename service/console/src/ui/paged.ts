// A list that is read page by page, as the API gives it: a cursor for the next one, and the way back from those already seen.
import { computed, ref } from "vue";
import { fetching } from "./fetching";

export interface Page<T> {
  rows: T[];
  next: string | null;
}

export function paged<T>(get: (cursor: string | undefined) => Promise<Page<T>>) {
  const trail = ref<(string | undefined)[]>([undefined]);
  const page = fetching(() => get(trail.value.at(-1)));

  async function go(cursor: string | undefined): Promise<void> {
    trail.value.push(cursor);
    await page.load();
  }
  return {
    ...page,
    rows: computed(() => page.data.value?.rows ?? []),
    number: computed(() => trail.value.length),
    hasNext: computed(() => Boolean(page.data.value?.next)),
    /** From the first page again: what is asked for has changed. */
    begin: async () => {
      trail.value = [undefined];
      await page.load();
    },
    forward: async () => page.data.value?.next && (await go(page.data.value.next)),
    back: async () => {
      if (trail.value.length > 1) trail.value.pop();
      await page.load();
    },
  };
}
