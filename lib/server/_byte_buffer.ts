/** Bytes that come in parts, put together as they come: many small parts take no more memory than a large one does. */
export class ByteBuffer {
  #bytes = new Uint8Array();
  #size = 0;

  /** How many bytes there are. */
  get size(): number {
    return this.#size;
  }

  /** Adds a copy of the bytes from `start` to `end`. */
  add(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    const size = this.#size + end - start;
    if (size > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(size, 2 * this.#size));
      larger.set(this.#bytes.subarray(0, this.#size));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes.subarray(start, end), this.#size);
    this.#size = size;
  }

  /** Takes all bytes out. */
  take(): Uint8Array {
    const bytes = this.#bytes.subarray(0, this.#size);
    this.#bytes = new Uint8Array();
    this.#size = 0;
    return bytes;
  }
}
