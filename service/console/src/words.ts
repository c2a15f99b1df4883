// What codes are called in Chinese: all words of the district and of the service come from the API, none stands here.
import { reactive } from "vue";
import { api, ask, type Schemas } from "./api/client";

type Vocabulary = Schemas["Vocabulary"];
/** A kind of code: `status`, `category`, `issue`, `reason` ... */
export type Kind = { [K in keyof Vocabulary]: Vocabulary[K] extends Record<string, string> ? K : never }[keyof Vocabulary];

export const words = reactive<{ ready: boolean; all: Vocabulary | null }>({ ready: false, all: null });

export async function learn(): Promise<void> {
  words.all = await ask(api.GET("/v1/vocabulary"));
  words.ready = true;
}

/** The Chinese name of a code; the code itself where it is unknown (of a rule set long gone), "—" for none. */
export function name(kind: Kind, code: string | null | undefined): string {
  if (!code) return "—";
  return words.all?.[kind][code] ?? code;
}

/** All codes of a kind with their names, in the order of the service. */
export function options(kind: Kind): { value: string; label: string }[] {
  return Object.entries(words.all?.[kind] ?? {}).map(([value, label]) => ({ value, label }));
}
