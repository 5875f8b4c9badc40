import type { Check } from "./_check.ts";

/** Bounds of a value. */
export interface Bounds<T> {
  readonly lt?: T;
  readonly lte?: T;
  readonly gt?: T;
  readonly gte?: T;
}

/** How values are compared (below 0, 0, above 0, or NaN if they cannot be) and written. */
export interface Order<T> {
  readonly compare: (a: T, b: T) => number;
  readonly format: (value: T) => string;
}

/**
 * Whether a value is within bounds. An upper bound that is not above the lower one means that the value must be outside
 * of what is between them. What cannot be compared is within.
 */
export function range<T>(
  kind: string,
  { lt, lte, gt, gte }: Bounds<T>,
  { compare, format }: Order<T>,
): Check<T> {
  const upper = lt ?? lte;
  const lower = gt ?? gte;
  const isAbove = lt !== undefined
    ? (value: T) => compare(value, lt) >= 0
    : (value: T) => compare(value, lte!) > 0;
  const isBelow = gt !== undefined
    ? (value: T) => compare(value, gt) <= 0
    : (value: T) => compare(value, gte!) < 0;
  const broken = (side: "upper" | "lower", message: string) => {
    const rule = side === "upper"
      ? (lt !== undefined ? "lt" : "lte")
      : (gt !== undefined ? "gt" : "gte");
    return { rule: `${kind}.${rule}`, message: `value must be ${message}` };
  };
  if (upper === undefined && lower === undefined) return () => undefined;
  if (lower === undefined) {
    const equal = lt !== undefined ? "" : "or equal to ";
    const above = broken("upper", `less than ${equal}${format(upper!)}`);
    return (value) => isAbove(value) ? above : undefined;
  }
  if (upper === undefined) {
    const equal = gt !== undefined ? "" : "or equal to ";
    const below = broken("lower", `greater than ${equal}${format(lower)}`);
    return (value) => isBelow(value) ? below : undefined;
  }
  if (compare(upper, lower) > 0) {
    const message = `inside range ${gt !== undefined ? "(" : "["}` +
      `${format(lower)}, ${format(upper)}${lt !== undefined ? ")" : "]"}`;
    const [below, above] = [broken("lower", message), broken("upper", message)];
    return (value) =>
      isBelow(value) ? below : isAbove(value) ? above : undefined;
  }
  const message = `outside range ${lt !== undefined ? "[" : "("}` +
    `${format(upper)}, ${format(lower)}${gt !== undefined ? "]" : ")"}`;
  const between = broken("upper", message);
  return (value) => isAbove(value) && isBelow(value) ? between : undefined;
}
