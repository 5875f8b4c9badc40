/**
 * What the tests use of `jsr:@std/assert`, over `node:assert`, for machines that do not reach JSR.
 *
 * @module
 */
import assertions from "node:assert";

type ErrorClass<E extends Error> = abstract new (...args: never[]) => E;

/** An assertion that does not hold. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/** Fails. */
export function fail(message = "failed"): never {
  throw new AssertionError(message);
}

/** The value is truthy. */
export function assert(
  value: unknown,
  message = `${value} is not truthy`,
): asserts value {
  if (!value) fail(message);
}

/** The two are deeply equal. */
export function assertEquals<T>(
  actual: T,
  expected: T,
  message?: string,
): void {
  if (message === undefined) assertions.deepStrictEqual(actual, expected);
  else assertions.deepStrictEqual(actual, expected, message);
}

/** The two are not deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T): void {
  assertions.notDeepStrictEqual(actual, expected);
}

/** The two are the same. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  message?: string,
): asserts actual is T {
  assert(
    Object.is(actual, expected),
    message ?? `${actual} is not the same as ${expected}`,
  );
}

/** The two are not the same. */
export function assertNotStrictEquals(
  actual: unknown,
  expected: unknown,
): void {
  assert(!Object.is(actual, expected), `${actual} is the same as ${expected}`);
}

/** The value is neither null nor undefined. */
export function assertExists<T>(actual: T): asserts actual is NonNullable<T> {
  assert(actual !== null && actual !== undefined, `${actual} does not exist`);
}

/** The text contains the other. */
export function assertStringIncludes(actual: string, expected: string): void {
  assert(
    actual.includes(expected),
    `${JSON.stringify(actual)} does not include ${JSON.stringify(expected)}`,
  );
}

/** The text matches. */
export function assertMatch(actual: string, expected: RegExp): void {
  assert(
    expected.test(actual),
    `${JSON.stringify(actual)} does not match ${expected}`,
  );
}

/** The array contains all the others. */
export function assertArrayIncludes<T>(
  actual: readonly T[],
  expected: readonly T[],
): void {
  for (const item of expected) {
    assert(actual.includes(item), `${actual} does not include ${item}`);
  }
}

/** The first is above the second. */
export function assertGreater(actual: number, expected: number): void {
  assert(actual > expected, `${actual} is not above ${expected}`);
}

/** The first is below the second. */
export function assertLess(actual: number, expected: number): void {
  assert(actual < expected, `${actual} is not below ${expected}`);
}

/** The first is not above the second. */
export function assertLessOrEqual(actual: number, expected: number): void {
  assert(actual <= expected, `${actual} is above ${expected}`);
}

/** The value is of the class. */
export function assertInstanceOf<T>(
  actual: unknown,
  expected: abstract new (...args: never[]) => T,
): asserts actual is T {
  assert(
    actual instanceof expected,
    `${actual} is not an instance of ${expected.name}`,
  );
}

/** The call throws. */
export function assertThrows<E extends Error = Error>(
  call: () => unknown,
  errorClass?: ErrorClass<E>,
  includes?: string,
): E {
  try {
    call();
  } catch (error) {
    return checked(error, errorClass, includes);
  }
  fail("did not throw");
}

/** The call rejects. */
export async function assertRejects<E extends Error = Error>(
  call: () => PromiseLike<unknown>,
  errorClass?: ErrorClass<E>,
  includes?: string,
): Promise<E> {
  try {
    await call();
  } catch (error) {
    return checked(error, errorClass, includes);
  }
  fail("did not reject");
}

function checked<E extends Error>(
  error: unknown,
  errorClass?: ErrorClass<E>,
  includes?: string,
): E {
  if (errorClass) assertInstanceOf(error, errorClass);
  if (includes !== undefined) {
    assertStringIncludes((error as Error).message, includes);
  }
  return error as E;
}
