// A decision that follows what is typed: asked a moment after the last key, with the question before it called off.
import { onScopeDispose, ref, watch, type Ref } from "vue";
import { told, type Schemas } from "../../api/client";
import { online } from "../../line";
import { complaint, type Complaint } from "./typed";

export type Decision = Schemas["Decision"];

/** Milliseconds without a key before the service is asked. */
const REST = 250;

export interface Judged {
  decision: Ref<Decision | null>;
  /** The complaint that `decision` is about: marks stand in this text, not in one that has been typed since. */
  about: Ref<Complaint | null>;
  busy: Ref<boolean>;
  trouble: Ref<string>;
  /** Ask again: somebody else is to be asked now. */
  again: () => void;
}

/** `ask` gives null where nobody is to be asked (no draft is chosen). */
export function judging(ask: (complaint: Complaint, signal: AbortSignal) => Promise<Decision> | null): Judged {
  const decision = ref<Decision | null>(null);
  const about = ref<Complaint | null>(null);
  const busy = ref(false);
  const trouble = ref("");
  let timer = 0;
  let call = new AbortController();

  function later(): void {
    call.abort();
    clearTimeout(timer);
    busy.value = complaint() !== null;
    timer = window.setTimeout(now, REST);
  }

  async function now(): Promise<void> {
    const mine = (call = new AbortController());
    const whole = complaint();
    try {
      const found = whole && (await ask(whole, mine.signal));
      if (mine.signal.aborted) return;
      [decision.value, about.value, trouble.value] = [found, whole, ""];
    } catch (error) {
      if (mine.signal.aborted) return;
      [decision.value, trouble.value] = [null, told(error)];
    }
    busy.value = false;
  }

  // What is asked is watched as the service would get it, so that a change which makes no difference asks nothing.
  watch(() => JSON.stringify(complaint()), later, { immediate: true });
  watch(online, (back) => back && trouble.value && later());
  onScopeDispose(() => {
    clearTimeout(timer);
    call.abort();
  });
  return { decision, about, busy, trouble, again: later };
}
