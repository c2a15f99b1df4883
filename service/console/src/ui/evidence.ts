// Where evidence stands in a text: cut into what is marked and what is not. Places count characters as the service does (code points).
import type { Schemas } from "../api/client";

export type Evidence = Schemas["Evidence"];

export interface Part {
  text: string;
  /** category, scope, issue or signal: of the weightiest evidence that covers it. */
  kind: string;
}

/** A stretch of the text: evidence that overlaps, with the parts it is made of; or plain text, without evidence and with one part. */
export interface Cluster {
  parts: Part[];
  evidence: Evidence[];
}

export const kindOf = (one: Evidence): string => one.supports.split(":")[0]!;

export function clusters(text: string, evidence: Evidence[]): Cluster[] {
  const letters = Array.from(text);
  const placed = evidence.filter((one) => one.start < one.end && one.end <= letters.length).sort((a, b) => a.start - b.start || b.end - a.end);
  const found: Cluster[] = [];
  let at = 0;
  while (placed.length) {
    const together = gather(placed);
    const start = together[0]!.start;
    const end = Math.max(...together.map((one) => one.end));
    if (start > at) found.push(plain(letters, at, start));
    found.push({ parts: split(letters, together, start, end), evidence: together });
    at = end;
  }
  if (at < letters.length || !found.length) found.push(plain(letters, at, letters.length));
  return found;
}

/** Take the first piece of evidence and all that overlap it, directly or by others. */
function gather(placed: Evidence[]): Evidence[] {
  const together = [placed.shift()!];
  let end = together[0]!.end;
  while (placed.length && placed[0]!.start < end) {
    together.push(placed.shift()!);
    end = Math.max(end, together.at(-1)!.end);
  }
  return together;
}

function split(letters: string[], evidence: Evidence[], start: number, end: number): Part[] {
  const borders = [...new Set([start, end, ...evidence.flatMap((one) => [one.start, one.end])])].sort((a, b) => a - b);
  return borders.slice(1).map((to, n) => {
    const from = borders[n]!;
    const over = evidence.filter((one) => one.start <= from && one.end >= to);
    // Kinds that decide come before the mere question whether it is training at all.
    const top = over.sort((a, b) => Number(kindOf(a) === "scope") - Number(kindOf(b) === "scope") || b.weight - a.weight)[0]!;
    return { text: letters.slice(from, to).join(""), kind: kindOf(top) };
  });
}

const plain = (letters: string[], from: number, to: number): Cluster => ({ parts: [{ text: letters.slice(from, to).join(""), kind: "" }], evidence: [] });
