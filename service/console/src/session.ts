// Who is signed in, and what they may do. The cookie is the service's affair: this page never sees it.
import { computed, reactive } from "vue";
import { api, ask, whenSignedOut, type Schemas } from "./api/client";
import { identity } from "./identity";

export type Session = Schemas["SessionTold"];

const NOBODY: Session = { signed_in: false, open: false, name: null, scopes: [], department: null, expires_at: null, sign_on: false };

export const session = reactive<Session & { known: boolean }>({ ...NOBODY, known: false });

/** Everything may be tried without a key: there is none yet, and this browser sits at the machine of the service. */
export const admitted = computed(() => session.signed_in || session.open);

/** Whether one of these scopes is held; administrators hold all. A department's scope is `department`. */
export function may(...scopes: string[]): boolean {
  if (session.open) return true;
  const held = session.scopes.map((scope) => scope.split(":")[0]!);
  return held.includes("admin") || scopes.some((scope) => held.includes(scope));
}

export async function look(): Promise<void> {
  Object.assign(session, await ask(api.GET("/v1/session")), { known: true });
  if (session.open && !identity.part) identity.part = "admin";
}

export async function signIn(key: string): Promise<void> {
  Object.assign(session, await ask(api.POST("/v1/session", { body: { key } })), { known: true });
  identity.part = "";
}

/** Off to the district's own sign-on, which sends the browser back to the page it is at now. */
export async function signOn(): Promise<void> {
  const here = location.pathname + location.search;
  const back_to = /^\/console(\/[A-Za-z0-9._~%/?&=:+,@-]*)?$/.test(here) && here.length <= 500 ? here : "/console/";
  location.assign((await ask(api.POST("/v1/session/oidc", { body: { back_to } }))).location);
}

export async function signOut(): Promise<void> {
  await api.DELETE("/v1/session");
  forget();
}

function forget(): void {
  Object.assign(session, NOBODY, { sign_on: session.sign_on });
  identity.part = "";
}

whenSignedOut(forget);
