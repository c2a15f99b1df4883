// The only door to the service: a typed client of its public API. A refusal becomes a Refused, which carries the problem (RFC 9457).
import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./schema";
import { identity } from "../identity";
import { reached, unreached } from "../line";

export type Schemas = components["schemas"];
export type Problem = Schemas["Problem"];

/** The service refused, or could not be reached (status 0). */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly problem: Pick<Problem, "title" | "detail" | "code"> & Partial<Problem>,
  ) {
    // A problem with fields says in each what is wrong and how to mend it; its detail only counts them.
    super(problem.errors?.map((one) => one.detail).join("；") || problem.detail || problem.title);
  }

  /** Somebody else was quicker: the case or draft has another version by now. */
  get overtaken(): boolean {
    return this.status === 412;
  }
}

/** Hears that the session has ended (401 on a request that is not a log-in). */
let ended: () => void = () => {};
export function whenSignedOut(hear: () => void): void {
  ended = hear;
}

const manners: Middleware = {
  onRequest({ request }) {
    for (const [name, value] of identity.headers()) request.headers.set(name, value);
    return request;
  },
  async onResponse({ response, request }) {
    reached();
    if (response.ok || response.status === 304) return response;
    if (response.status === 401 && !request.url.endsWith("/v1/session")) ended();
    throw refused(response.status, await problemOf(response));
  },
  onError({ error }) {
    if (error instanceof DOMException && error.name === "AbortError") return error;
    unreached();
    return new Refused(0, { title: "连不上服务", detail: "连不上服务，请检查网络；恢复后会自动重试。", code: "unreachable" });
  },
};

/** What other programs are told in headers, people write at the top of the page. */
function refused(status: number, problem: Problem): Refused {
  if (problem.code !== "actor_missing") return new Refused(status, problem);
  identity.asked = true;
  return new Refused(status, { ...problem, detail: "还不知道是谁在操作：请在右上角写明经办人和身份，再做一次。" });
}

export async function problemOf(response: Response): Promise<Problem> {
  const told = response.headers.get("content-type")?.startsWith("application/problem+json") ? await response.json() : {};
  return { title: "请求没有成功", detail: `服务答复 ${response.status}。`, code: "unknown", ...told };
}

export const api = createClient<paths>({ baseUrl: location.origin, credentials: "same-origin" });
api.use(manners);

/** The body of a call that went well; what went otherwise has been thrown as Refused. */
export async function ask<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data } = await call;
  return data as T;
}

/** What to tell people about anything that went wrong. */
export function told(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
