// One draft as it is worked on: what the service keeps, what is typed and not yet kept, and what the service says about both together.
// What is typed is kept in this browser until it is saved, so that neither a closed tab nor a colleague's save loses it.
import { computed, onScopeDispose, reactive, ref, watch } from "vue";
import { api, ask, Refused, told, type Schemas } from "../../../api/client";

export type Whole = Schemas["DraftWhole"];
export type Mistake = Schemas["MistakeTold"];
export type RuleInDraft = Schemas["RuleInDraft"];

/** A colleague saved the same file meanwhile: theirs, ours, and on what ours was based. */
export interface Clash {
  path: string;
  theirs: string;
  mine: string;
  by: string;
}

/** Milliseconds without a key before the draft is checked. */
const REST = 500;
const saver = (text: string) => text;
const plain = { headers: { "Content-Type": "text/plain" }, bodySerializer: saver } as const;

export function working(id: string) {
  const kept = `fenpai.draft.${id}`;
  const at = { draft_id: id };
  const state = reactive({
    whole: null as Whole | null,
    saved: {} as Record<string, string>,
    typed: JSON.parse(localStorage.getItem(kept) ?? "{}") as Record<string, string>,
    file: "",
    mistakes: [] as Mistake[],
    rules: [] as RuleInDraft[],
    clash: null as Clash | null,
    checking: false,
  });
  const trouble = ref("");
  const dirty = computed(() => Object.keys(state.typed).filter((path) => state.typed[path] !== state.saved[path]));
  const text = computed(() => state.typed[state.file] ?? state.saved[state.file] ?? "");
  const tag = () => `"${state.whole!.version}"`;
  let timer = 0;
  let call = new AbortController();

  async function guarded(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      trouble.value = "";
      return true;
    } catch (error) {
      trouble.value = told(error);
      return false;
    }
  }

  async function load(): Promise<void> {
    await guarded(async () => {
      state.whole = await ask(api.GET("/v1/rulesets/drafts/{draft_id}", { params: { path: at } }));
      await Promise.all([list(), check()]);
    });
  }

  async function list(): Promise<void> {
    state.rules = (await ask(api.GET("/v1/rulesets/drafts/{draft_id}/rules", { params: { path: at } }))).rules;
  }

  const read = (path: string) => ask(api.GET("/v1/rulesets/drafts/{draft_id}/files/{path}", { params: { path: { ...at, path } }, parseAs: "text" })) as Promise<string>;

  async function open(path: string): Promise<void> {
    if (state.saved[path] === undefined) await guarded(async () => (state.saved[path] = await read(path)));
    state.file = path;
  }

  /** The files are others now: read again what is open. */
  async function reread(): Promise<void> {
    const path = state.file;
    state.saved = {};
    await load();
    await open(path);
  }

  /** A colleague saved meanwhile: what they made of it is read, and nothing is done until it was seen. */
  async function behind(): Promise<string> {
    await reread();
    return `${state.whole!.updated_by} 刚才存了第 ${state.whole!.version} 稿，已经读入。请看过「改动」再决定；您在这里写的还在。`;
  }

  function type(value: string): void {
    if (value === text.value) return;
    state.typed[state.file] = value;
    if (value === state.saved[state.file]) delete state.typed[state.file];
    clearTimeout(timer);
    timer = window.setTimeout(check, REST);
  }

  /** What the service says of the draft with what is typed in it. */
  async function check(): Promise<void> {
    call.abort();
    const mine = (call = new AbortController());
    state.checking = true;
    try {
      const found = await ask(api.POST("/v1/rulesets/drafts/{draft_id}/check", { params: { path: at }, body: { files: { ...state.typed } }, signal: mine.signal }));
      state.mistakes = found.mistakes;
    } catch (error) {
      if (!mine.signal.aborted) trouble.value = told(error);
    }
    if (!mine.signal.aborted) state.checking = false;
  }

  async function write(path: string, value: string): Promise<void> {
    const params = { path: { ...at, path }, header: { "If-Match": tag() } };
    state.whole = await ask(api.PUT("/v1/rulesets/drafts/{draft_id}/files/{path}", { params, body: value, ...plain }));
    state.saved[path] = value;
    delete state.typed[path];
  }

  async function save(path: string, value = state.typed[path]!): Promise<boolean> {
    return guarded(async () => {
      try {
        await write(path, value);
      } catch (error) {
        if (!(error instanceof Refused && error.overtaken)) throw error;
        await overtaken(path, value);
      }
    });
  }

  /** Somebody saved meanwhile. Where it was another file, ours is saved on top; where it was this one, both are shown. */
  async function overtaken(path: string, mine: string): Promise<void> {
    const whole = await ask(api.GET("/v1/rulesets/drafts/{draft_id}", { params: { path: at } }));
    const theirs = whole.files.includes(path) ? await read(path) : "";
    const untouched = theirs === state.saved[path];
    state.whole = whole;
    state.saved = { [path]: theirs };
    if (untouched || theirs === mine) await write(path, mine);
    else state.clash = { path, theirs, mine, by: whole.updated_by };
  }

  async function saveAll(): Promise<boolean> {
    for (const path of [...dirty.value]) {
      if (!(await save(path)) || state.clash) return false;
      await guarded(list);
    }
    return true;
  }

  /** Which of the two, or what was made of both, is to stand. */
  async function settle(path: string, value: string): Promise<void> {
    state.clash = null;
    state.typed[path] = value;
    await saveAll();
    await check();
  }

  watch(() => state.typed, (typed) => (Object.keys(typed).length ? localStorage.setItem(kept, JSON.stringify(typed)) : localStorage.removeItem(kept)), { deep: true });
  onScopeDispose(() => {
    clearTimeout(timer);
    call.abort();
  });
  return { id, state, trouble, dirty, text, tag, load, reread, behind, open, type, check, saveAll, settle, guarded };
}

export type Working = ReturnType<typeof working>;
