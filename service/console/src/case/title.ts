// What a case is called in a list: its title, or what comes nearest to one.
import type { Schemas } from "../api/client";
import { name } from "../words";

export function titleOf(row: Pick<Schemas["CaseSummary"], "title" | "institution" | "issues" | "source_order_no">): string {
  return row.title || row.institution || row.issues.map((issue) => name("issue", issue)).join("、") || row.source_order_no;
}
