// The change feed: one long poll for the whole page, and everyone on it hears what has changed. Nothing is reloaded by the clock.
import { onScopeDispose, ref } from "vue";
import { api, ask, Refused, type Schemas } from "./api/client";
import { admitted, may } from "./session";

export type Change = Schemas["Change"];
type Hear = (changes: Change[]) => void;

/** Seconds that one question may wait for an answer. */
const WAIT = 25;
/** Milliseconds before asking again after a failure; doubled up to the second, so that the page is soon there again. */
const PAUSE = [1_000, 4_000] as const;
const listeners = new Set<Hear>();
let running = false;
let after: number | "now" = "now";

/** Position up to which this page has heard. */
export const heard = ref(0);

/** Hear of every change as long as the component lives. */
export function onChanges(hear: Hear): void {
  listeners.add(hear);
  onScopeDispose(() => listeners.delete(hear));
  void follow();
}

/** Milliseconds after which every replica serves by the rules that were put into force. */
const SWITCHED = 2_500;

/**
 * Hear that the rules changed: at once, and again when the replica that answers must have changed over to them; and once after the
 * beginning, for a change just before the page began to listen.
 */
export function onRules(hear: () => unknown): void {
  let later = window.setTimeout(hear, SWITCHED);
  onChanges((changes) => {
    if (!changes.some((one) => one.kind.startsWith("rules."))) return;
    clearTimeout(later);
    later = window.setTimeout(hear, SWITCHED);
    hear();
  });
  onScopeDispose(() => clearTimeout(later));
}

async function follow(): Promise<void> {
  if (running) return;
  running = true;
  let pause: number = PAUSE[0];
  while (listeners.size && admitted.value && may("hotline", "department", "viewer")) { // the feed tells of cases
    try {
      const found: Schemas["Changes"] = await ask(api.GET("/v1/changes", { params: { query: { after, wait: WAIT, limit: 500 } } }));
      after = heard.value = found.next;
      pause = PAUSE[0];
      if (found.changes.length) listeners.forEach((hear) => hear(found.changes));
    } catch (error) {
      // The database was replaced: what we had heard does not count there.
      if (error instanceof Refused && error.problem.code === "cursor_ahead") after = "now";
      await new Promise((go) => setTimeout(go, pause));
      pause = Math.min(pause * 2, PAUSE[1]);
    }
  }
  running = false;
}
