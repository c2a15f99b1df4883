// What may be written at a place of a rule file: keys from the schema of its kind of file, values from the codes that are known.
import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { options, words, type Kind } from "../../../words";
import type { RuleInDraft } from "./draft";

type Schema = { $ref?: string; properties?: Record<string, Schema>; items?: Schema; anyOf?: Schema[]; enum?: string[]; additionalProperties?: Schema | boolean; patternProperties?: Record<string, Schema> };
export type PackSchema = { $defs: Record<string, Schema> };

/** The model of each kind of file, by its name; the first that fits decides. */
const KINDS: [RegExp, string][] = [
  [/\.test\.yaml$/, "CasesFile"], [/^ruleset\.yaml$/, "RulesetFile"], [/^departments\.yaml$/, "DepartmentsFile"], [/^clauses\.yaml$/, "ClausesFile"],
  [/^(scope|signals)\.yaml$|^categories\//, "RulesFile"], [/^issues\.yaml$/, "IssuesFile"], [/^aliases\.yaml$/, "AliasesFile"], [/^clocks\.yaml$/, "ClocksFile"],
  [/^incidents\.yaml$/, "IncidentsFile"], [/^retention\.yaml$/, "RetentionFile"], [/^calendar\//, "CalendarFile"],
];
/** Keys whose values are codes that the vocabulary knows. */
const CODES: Record<string, Kind> = { category: "category", categories: "category", issue: "issue", issues: "issue", department: "department", lead: "department", assists: "department", clause: "clause", decision: "outcome" };

export function completing(path: string, schema: PackSchema, rules: () => RuleInDraft[]) {
  const root = schema.$defs[KINDS.find(([pattern]) => pattern.test(path))?.[1] ?? ""];

  return (context: CompletionContext): CompletionResult | null => {
    const line = context.state.doc.lineAt(context.pos);
    const before = line.text.slice(0, context.pos - line.from);
    const word = context.matchBefore(/[\w.{}-]*/)!;
    if (word.from === word.to && !context.explicit) return null;
    const key = /(?:^|[\s{,-])([\w]+):\s*(?:\[[^\]]*)?[\w.-]*$/.exec(before)?.[1];
    const found = key ? values(key, schema, root, way(context, line.number, before), rules()) : keys(schema, root, way(context, line.number, before));
    return found.length ? { from: word.from, options: found, validFor: /^[\w.-]*$/ } : null;
  };
}

/** The keys above a line, outermost first, by indentation; a list's items add nothing. */
function way(context: CompletionContext, number: number, before: string): string[] {
  const indent = (text: string) => /^[\s-]*/.exec(text)![0].length;
  const found: string[] = [];
  let depth = indent(before);
  for (let at = number - 1; at > 0 && depth > 0; at--) {
    const text = context.state.doc.line(at).text;
    const key = /^[\s-]*([\w.]+):\s*(#.*)?$/.exec(text)?.[1];
    const own = /^\s*/.exec(text)![0].length;
    if (key && own < depth && indent(text) < depth) {
      found.unshift(key);
      depth = own;
    }
  }
  return found;
}

/** Where a way of keys leads in the schema; references followed, lists entered. */
function reached(schema: PackSchema, root: Schema | undefined, steps: string[]): Schema[] {
  let here = root ? plain(schema, root) : [];
  for (const step of steps) {
    here = here.flatMap((one) => plain(schema, one.properties?.[step] ?? Object.values(one.patternProperties ?? {})[0] ?? (typeof one.additionalProperties === "object" ? one.additionalProperties : {})));
  }
  return here;
}

function plain(schema: PackSchema, one: Schema): Schema[] {
  if (one.$ref) return plain(schema, schema.$defs[one.$ref.split("/").at(-1)!] ?? {});
  if (one.anyOf) return one.anyOf.flatMap((each) => plain(schema, each));
  return one.items ? plain(schema, one.items) : [one];
}

function keys(schema: PackSchema, root: Schema | undefined, steps: string[]): Completion[] {
  const names = reached(schema, root, steps).flatMap((one) => Object.keys(one.properties ?? {}));
  return [...new Set(names)].map((name) => ({ label: name, type: "property", apply: `${name}: ` }));
}

function values(key: string, schema: PackSchema, root: Schema | undefined, steps: string[], rules: RuleInDraft[]): Completion[] {
  if (key === "needs" || key === "blocked_by") return rules.map((rule) => ({ label: rule.rule, detail: rule.name }));
  if (CODES[key]) return options(CODES[key]).map((one) => ({ label: one.value, detail: one.label.slice(0, 40) }));
  if (key === "scope") return Object.entries(words.all?.evidence ?? {}).filter(([code]) => code.startsWith("scope:")).map(([code, label]) => ({ label: code.slice(6), detail: label }));
  return reached(schema, root, [...steps, key]).flatMap((one) => one.enum ?? []).map((value) => ({ label: value, type: "enum" }));
}
