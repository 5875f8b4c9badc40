/** What a value breaks: the rule, and why in the words that Envoy itself uses. */
export interface Broken {
  readonly rule: string;
  readonly message: string;
}

/** Finds the first rule that a value breaks. */
export type Check<T> = (value: T) => Broken | undefined;

/** Rules of one kind, by name. */
export type Rules = { readonly [rule: string]: unknown };

/**
 * A check, of rules with these names and no others.
 *
 * @throws {Error} for another one, so that none is passed over
 */
export function only<T>(
  rules: Rules,
  names: readonly string[],
  check: Check<T>,
): Check<T> {
  const other = Object.keys(rules).find((name) => !names.includes(name));
  if (other) throw new Error(`the rule ${other} is not known`);
  return check;
}

/** Puts checks one after the other. */
export function inOrder<T>(...checks: readonly Check<T>[]): Check<T> {
  return (value) => {
    for (const check of checks) {
      const broken = check(value);
      if (broken) return broken;
    }
  };
}
