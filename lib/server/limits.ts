import { DEFAULT_MAX_NAMES } from "../protocol/mod.ts";

/**
 * What a client may take of a server. One that takes more is told so, with the status that is said here, and the observer
 * gets a `limit` event; all others are served on.
 */
export interface Limits {
  /**
   * Names that a stream may ask for of one type; one that asks for more ends with `RESOURCE_EXHAUSTED`. Default: 100 000.
   */
  names?: number;
  /** Size of a request, in bytes; a stream with a larger one ends with `RESOURCE_EXHAUSTED`. Default: 16 MiB. */
  messageBytes?: number;
}

/** A limit, by its name in {@linkcode Limits}. */
export type LimitName = keyof Limits;

/** Limits, with what is not said filled in. */
export type EffectiveLimits = Readonly<Required<Limits>>;

/** What a limit is if it is not set, and what it may be set to. */
interface Rule {
  readonly default: number;
  readonly isValid: (value: number) => boolean;
  /** What `isValid` asks for, as in "it must be …". */
  readonly valid: string;
}

const count: Omit<Rule, "default"> = {
  isValid: (value) =>
    value === Infinity || (Number.isInteger(value) && value > 0),
  valid: "a whole number above 0, or Infinity for no limit",
};

const rules: Readonly<Record<LimitName, Rule>> = {
  names: { ...count, default: DEFAULT_MAX_NAMES },
  messageBytes: { ...count, default: 16 * 1024 * 1024 },
};

/**
 * Limits, with what is not said filled in.
 *
 * @throws {RangeError} if one is set to what it cannot be; it names the limit
 */
export function limitsOf(limits: Limits = {}): EffectiveLimits {
  const effective: Partial<Record<LimitName, number>> = {};
  for (const [name, rule] of Object.entries(rules) as [LimitName, Rule][]) {
    const value = limits[name] ?? rule.default;
    if (typeof value !== "number" || !rule.isValid(value)) {
      throw new RangeError(
        `limits.${name} is ${String(value)}: it must be ${rule.valid}`,
      );
    }
    effective[name] = value;
  }
  return effective as EffectiveLimits;
}
