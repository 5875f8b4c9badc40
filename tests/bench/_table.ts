import { median, type Sample } from "./_measure.ts";

/** A column of a table: what it shows, and how many of the sample's units make one of its own. */
export interface Column {
  title: string;
  key: keyof Sample;
  unit: number;
  /** Whether ours and theirs are set against each other. */
  compared: boolean;
}

/** The columns of most tables. */
export const columns: readonly Column[] = [
  { title: "CPU, ms", key: "cpu", unit: 1, compared: true },
  { title: "wall, ms", key: "wall", unit: 1, compared: true },
  { title: "resident, MB", key: "rss", unit: 1e6, compared: true },
  { title: "peak, MB", key: "peak", unit: 1e6, compared: true },
  { title: "sent, MB", key: "bytes", unit: 1e6, compared: false },
  { title: "clients' CPU, ms", key: "load", unit: 1, compared: false },
];

/** A table's head, in Markdown. */
export function head(columns: readonly Column[]): string {
  return line(["ours / theirs", ...columns.map(({ title }) => title)]) + "\n" +
    line(["---", ...columns.map(() => "---:")]);
}

/** A row, in Markdown: medians, their ratio, and between which it lay in the runs. */
export function row(
  name: string,
  columns: readonly Column[],
  ours: readonly Sample[],
  theirs: readonly Sample[],
): string {
  return line([
    name,
    ...columns.map((column) => cell(column, ours, theirs)),
  ]);
}

function cell(
  { key, unit, compared }: Column,
  ours: readonly Sample[],
  theirs: readonly Sample[],
): string {
  if (ours[0][key] === undefined) return "";
  const [mine, other] = [ours, theirs].map((samples) =>
    median(samples.map((sample) => sample[key]!)) / unit
  );
  const both = `${short(mine)} / ${short(other)}`;
  if (!compared) return both;
  const ratios = ours.map((sample, i) => sample[key]! / theirs[i][key]!);
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)].map(short);
  return `${both} = **${short(mine / other)}** (${least}…${most})`;
}

function short(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return Math.abs(value) >= 0.1 || value === 0
    ? value.toFixed(digits)
    : value.toPrecision(2);
}

function line(cells: string[]): string {
  return `| ${cells.join(" | ")} |`;
}
