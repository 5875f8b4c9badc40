/** What a request may hold. Counts are checked before objects are allocated. */
export interface RequestBounds {
  /** Entries of each list: names, names to unsubscribe from, versions. */
  readonly names: number;
  /** Bytes of the node, without the fields that are skipped. */
  readonly nodeBytes: number;
}

/** Default of `limits.nodeBytes`. */
export const DEFAULT_NODE_BYTES: number = 128 * 1024;

/** Bounds of a decoder that was given none. */
export const defaultBounds: RequestBounds = {
  names: Infinity,
  nodeBytes: DEFAULT_NODE_BYTES,
};

/** A request that holds more than its bounds allow. */
export class BoundsError extends RangeError {
  constructor(
    /** The bound, by its name. */
    readonly bound: keyof RequestBounds,
    /** Its value. */
    readonly value: number,
    message: string,
  ) {
    super(message);
  }
}

/** Fields of a message beside those that are counted by a bound of their own. */
const MAX_FIELDS = 10_000;

/** Counts the fields of one message that are neither names nor versions. */
export class FieldCount {
  #left = MAX_FIELDS;

  /** @throws {RangeError} for one field too many */
  add() {
    if (this.#left-- > 0) return;
    throw new RangeError(
      `a message has more than ${MAX_FIELDS} fields beside its names`,
    );
  }
}

/** Counts the entries of one list. */
export class EntryCount {
  readonly #bounds: RequestBounds;
  #count = 0;

  constructor(bounds: RequestBounds) {
    this.#bounds = bounds;
  }

  /**
   * Counts entries that are about to be decoded.
   *
   * @throws {BoundsError} if they are too many
   */
  add(count = 1) {
    this.#count += count;
    const { names } = this.#bounds;
    if (this.#count <= names) return;
    throw new BoundsError(
      "names",
      names,
      `a request lists more than ${names} names; ask for fewer, or subscribe to the wildcard`,
    );
  }
}

/** Bytes of a name; Envoy's and gRPC's are a fraction of it. */
const MAX_NAME_BYTES = 32 * 1024;

/** @throws {RangeError} for a name that is too long */
export function checkName(size: number) {
  if (size <= MAX_NAME_BYTES) return;
  throw new RangeError(
    `a name has ${size} bytes, and may have ${MAX_NAME_BYTES}`,
  );
}
