import { MAX_TIME } from "./limits.ts";

/** Milliseconds in a unit of `grpc-timeout`. */
const units: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};

/**
 * Milliseconds until the deadline of a call, by its `grpc-timeout`; undefined if it has none, or one that no timer can be
 * set to.
 *
 * @see https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#requests
 */
export function timeoutOf(value: string | undefined): number | undefined {
  const [, number, unit] = /^(\d{1,8})([HMSmun])$/.exec(value ?? "") ?? [];
  if (number === undefined) return undefined;
  const time = Math.ceil(Number(number) * units[unit]);
  return time <= MAX_TIME ? time : undefined;
}
