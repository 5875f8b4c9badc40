import { Code, ConnectError } from "@connectrpc/connect";
import { type FailureCode, RequestError } from "../cache/mod.ts";
import type { LimitName } from "./limits.ts";

const codes: Readonly<Record<FailureCode, Code>> = {
  invalid_argument: Code.InvalidArgument,
  not_found: Code.NotFound,
  permission_denied: Code.PermissionDenied,
  resource_exhausted: Code.ResourceExhausted,
  unauthenticated: Code.Unauthenticated,
  unavailable: Code.Unavailable,
};

/** An error that ends a stream with a gRPC status. */
export function failure(
  code: FailureCode,
  message: string,
  cause?: unknown,
): ConnectError {
  return new ConnectError(message, codes[code], undefined, undefined, cause);
}

/** An error that ends a stream since its client reached a limit. */
export class LimitError extends ConnectError {
  constructor(
    /** Which. */
    readonly limit: LimitName,
    /** What it is set to. */
    readonly value: number,
    message: string,
    code: Code = Code.ResourceExhausted,
  ) {
    super(message, code);
  }

  /** Connect takes any error of its own for an instance of any class of its errors. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null &&
      Object.prototype.isPrototypeOf.call(LimitError.prototype, value);
  }
}

/** The gRPC status that somebody's code asked for by what it threw; undefined if it did not. */
export function asked(cause: unknown): ConnectError | undefined {
  return cause instanceof RequestError
    ? failure(cause.code, cause.message, cause)
    : undefined;
}

/** What ends a stream whose cache threw something. */
export function cacheFailure(cause: unknown): ConnectError {
  if (cause instanceof ConnectError) return cause;
  return asked(cause) ?? internalFailure("the cache", cause);
}

/**
 * What ends a stream when somebody's code threw something. The client is told what failed; what was thrown is the error's
 * `cause`, for observers, since it may say what is not the client's to know.
 */
export function internalFailure(what: string, cause: unknown): ConnectError {
  return new ConnectError(
    `${what} failed`,
    Code.Internal,
    undefined,
    undefined,
    cause,
  );
}

/** The message of whatever was thrown. */
export function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** A text, cut if it is longer than so many characters. */
export function clipped(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

/** That a stream ended because the client did not wait for it to. */
export function clientGone(cause: unknown): ConnectError {
  return new ConnectError(
    "the client went away",
    Code.Canceled,
    undefined,
    undefined,
    cause,
  );
}
