import { median, type Sample } from "./_measure.ts";
import type { Samples } from "./_rounds.ts";

/** A row of the table. */
export interface Row {
  /** Of the scenario. */
  name: string;
  samples: Samples;
}

/** What stands above each column but the first. */
const HEAD = [
  "CPU ms",
  "go CPU ms",
  "ratio",
  "wall ms",
  "go wall ms",
  "ratio",
  "peak MB",
  "go peak MB",
  "ratio",
  "sent MB",
  "go sent MB",
  "load CPU ms",
  "go load CPU ms",
];

/** The table's head, in Markdown. */
export function head(): string {
  return line(["scenario", ...HEAD]) + "\n" +
    line(["---", ...HEAD.map(() => "---:")]);
}

/** A row, in Markdown. */
export function row({ name, samples }: Row): string {
  const [ours, theirs] = samples;
  return line([
    name,
    ...compared(ours, theirs, "cpu", 1),
    ...compared(ours, theirs, "wall", 1),
    ...compared(ours, theirs, "peak", 1e6),
    ...plain(ours, theirs, "bytes", 1e6),
    ...plain(ours, theirs, "load", 1),
  ]);
}

function compared(
  ours: Sample[],
  theirs: Sample[],
  key: keyof Sample,
  unit: number,
): string[] {
  if (ours[0][key] === undefined) return ["–", "–", "–"];
  const ratios = ours.map((sample, i) => sample[key]! / theirs[i][key]!);
  const ratio = median(values(ours, key)) / median(values(theirs, key));
  const spread = `${short(Math.min(...ratios))}…${short(Math.max(...ratios))}`;
  return [
    ...plain(ours, theirs, key, unit),
    `**${short(ratio)}** (${spread})`,
  ];
}

function plain(
  ours: Sample[],
  theirs: Sample[],
  key: keyof Sample,
  unit: number,
): string[] {
  return [ours, theirs].map((samples) =>
    samples[0][key] === undefined
      ? "–"
      : short(median(values(samples, key)) / unit)
  );
}

function values(samples: Sample[], key: keyof Sample): number[] {
  return samples.map((sample) => sample[key]!);
}

function short(value: number): string {
  if (value >= 100) return value.toFixed(0);
  if (value >= 10) return value.toFixed(1);
  return value >= 1 ? value.toFixed(2) : value.toPrecision(2);
}

function line(cells: string[]): string {
  return `| ${cells.join(" | ")} |`;
}
