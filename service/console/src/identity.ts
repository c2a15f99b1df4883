// In whose name this browser acts: the person, and the part they speak for where the key leaves it open. Kept in this browser alone.
import { reactive, watch } from "vue";

const KEPT = "fenpai.identity";

export const identity = reactive({
  /** 经办人, as events will name them; empty: the name of the key. */
  person: "",
  /** The service wants to know who acts, and does not: the place to write it is opened. */
  asked: false,
  /** 以哪个单位的身份; empty: what the key says. */
  part: "",
  *headers(): Generator<[string, string]> {
    if (this.person) yield ["X-Fenpai-Actor", encodeURIComponent(this.person)];
    if (this.part) yield ["X-Fenpai-Department", this.part];
  },
});

Object.assign(identity, kept());
watch(
  () => [identity.person, identity.part],
  ([person, part]) => localStorage.setItem(KEPT, JSON.stringify({ person, part })),
);

function kept(): object {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "{}");
  } catch {
    return {};
  }
}
