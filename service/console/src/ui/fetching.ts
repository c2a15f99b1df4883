// One fetched thing with its waiting and failing; a later fetch overrides an earlier one that is still under way.
import { ref, type Ref } from "vue";
import { told } from "../api/client";

export interface Fetched<T> {
  data: Ref<T | null>;
  busy: Ref<boolean>;
  trouble: Ref<string>;
  /** Fetch (again). What is shown stays until the new answer is there: `busy` is true only while there is nothing to show. */
  load: () => Promise<void>;
}

export function fetching<T>(get: () => Promise<T>): Fetched<T> {
  const data = ref<T | null>(null) as Ref<T | null>;
  const busy = ref(true);
  const trouble = ref("");
  let turn = 0;

  async function load(): Promise<void> {
    const mine = ++turn;
    busy.value = data.value === null;
    try {
      const found = await get();
      if (mine !== turn) return;
      data.value = found;
      trouble.value = "";
    } catch (error) {
      if (mine === turn) trouble.value = told(error);
    } finally {
      if (mine === turn) busy.value = false;
    }
  }
  return { data, busy, trouble, load };
}
