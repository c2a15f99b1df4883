// A decision waits some seconds before it is sent, so that it can be taken back; leaving the page sends it at once.
import { computed, onScopeDispose, reactive, ref } from "vue";
import { Refused, told } from "../../api/client";
import { newKey, order, type Order } from "../../moves";

/** Milliseconds in which a decision may be taken back. */
export const UNDO = 6_000;

export interface Decided extends Order {
  title: string;
  /** The state of the case that is decided. */
  was: string;
  /** In words, what is about to happen. */
  what: string;
}
export interface Failed extends Decided {
  overtaken: boolean;
  trouble: string;
}

export function useDeciding(sent: () => Promise<void>) {
  const waiting = ref<Decided | null>(null);
  const failed = ref<Failed | null>(null);
  /** Cases that are decided here: they stay out of the list although the service does not know yet. */
  const settled = ref(new Set<string>());
  const clock = reactive({ left: 0 });
  let timer: number | undefined;

  async function send(one: Decided, keepalive = false): Promise<void> {
    try {
      await order(one, keepalive);
      await sent();
      settled.value.delete(one.caseId); // the list knows by now; the case may come back to it one day
      if (failed.value?.caseId === one.caseId) failed.value = null;
    } catch (error) {
      settled.value.delete(one.caseId);
      failed.value = { ...one, overtaken: error instanceof Refused && error.overtaken, trouble: told(error) };
    }
  }

  function flush(keepalive = false): void {
    clearInterval(timer);
    const one = waiting.value;
    waiting.value = null;
    if (one) void send(one, keepalive);
  }

  function decide(one: Omit<Decided, "key">): void {
    flush();
    waiting.value = { ...one, key: newKey() };
    settled.value.add(one.caseId);
    clock.left = UNDO / 1000;
    timer = window.setInterval(() => (--clock.left > 0 ? undefined : flush()), 1_000);
  }

  /** Take it back; the case that was decided. */
  function undo(): string | null {
    clearInterval(timer);
    const one = waiting.value;
    waiting.value = null;
    if (one) settled.value.delete(one.caseId);
    return one?.caseId ?? null;
  }

  const again = (version: number) => failed.value && void send({ ...failed.value, version, key: newKey() });
  const leave = () => flush(true);
  addEventListener("pagehide", leave);
  onScopeDispose(() => {
    removeEventListener("pagehide", leave);
    flush(true);
  });
  return { waiting, failed, settled, left: computed(() => clock.left), decide, undo, flush, again };
}
