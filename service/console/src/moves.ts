// What may be done with a case: asked of the service, and ordered there with the version that one has read.
import { api, ask, type Schemas } from "./api/client";

export type MoveNow = Schemas["MoveNow"];
export type MovesNow = Schemas["MovesNow"];
export type Said = Record<string, unknown>;
type Path = "/v1/cases/{case_id}/archive";

export interface Order {
  caseId: string;
  move: string;
  version: number;
  said: Said;
  /** The same key again is the same move: a retry after a broken connection does nothing twice. */
  key: string;
}

export const standing = (caseId: string): Promise<MovesNow> =>
  ask(api.GET("/v1/cases/{case_id}/moves", { params: { path: { case_id: caseId } } }));

/** All moves are ordered in the same way; `keepalive` lets the order leave although the page is being left. */
export function order({ caseId, move, version, said, key }: Order, keepalive = false): Promise<Schemas["Moved"]> {
  const params = { path: { case_id: caseId }, header: { "If-Match": `"${version}"`, "Idempotency-Key": key } };
  return ask(api.POST(`/v1/cases/{case_id}/${move}` as Path, { params, body: said as never, keepalive }));
}

/** A random key; pages without https have no crypto.randomUUID. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
