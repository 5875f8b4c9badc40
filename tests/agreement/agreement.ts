/**
 * `deno task agreement`: what `validateResource` makes of resources that were changed, rule by rule, to just break it and
 * to just keep it, beside what a real Envoy makes of them.
 */
import {
  agreement,
  compare,
  isCutShort,
  isRule,
  saysTheSame,
  type Verdicts,
} from "./_agreement.ts";

const all = await compare();
const types = new Map<string, Verdicts[]>();
for (const verdict of all) {
  const type = verdict.mutation.base.type.split(".").at(-1)!;
  types.set(type, [...types.get(type) ?? [], verdict]);
}
const columns = [26, 8, 12, 12, 20, 16];
const row = (cells: readonly unknown[]) =>
  console.log(
    cells.map((cell, i) =>
      i === 0
        ? String(cell).padEnd(columns[i])
        : String(cell).padStart(columns[i])
    ).join(""),
  );
row([
  "type",
  "cases",
  "both accept",
  "both refuse",
  "only Envoy refuses",
  "only we refuse",
]);
for (const [type, verdicts] of [...types, ["all", all] as const]) {
  const { bothAccept, bothRefuse, onlyEnvoyRefuses, onlyWeRefuse } = agreement(
    verdicts,
  );
  row([
    type,
    verdicts.length,
    bothAccept.length,
    bothRefuse.length,
    onlyEnvoyRefuses.length,
    onlyWeRefuse.length,
  ]);
}
const { bothRefuse, onlyEnvoyRefuses, onlyWeRefuse } = agreement(all);
const told = bothRefuse.filter((verdict) => !isCutShort(verdict));
console.log(
  `\nOf ${told.length} refusals that Envoy gives in full, ` +
    `${told.filter(saysTheSame).length} are in the same words as ours.`,
);
const kinds = Map.groupBy(
  all,
  ({ mutation: { rule } }) => rule.slice(rule.indexOf(": ") + 2),
);
console.log(`\n${kinds.size} kinds of rules:`);
for (const [kind, { length }] of [...kinds].sort()) {
  console.log(`  ${String(length).padStart(4)}  ${kind}`);
}
console.log("\nWhat only Envoy refuses:");
for (const verdict of onlyEnvoyRefuses) {
  const { mutation: { label }, refusal } = verdict;
  const mark = isRule(verdict) ? "! a rule of its protos: " : "";
  console.log(`  ${label.slice(-90)}\n      ${mark}${refusal!.slice(0, 140)}`);
}
for (const { mutation: { label }, violations } of onlyWeRefuse) {
  console.log(`only we refuse ${label}: ${JSON.stringify(violations)}`);
}
if (onlyWeRefuse.length > 0 || onlyEnvoyRefuses.some(isRule)) Deno.exit(1);
