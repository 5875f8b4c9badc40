/** Bytes that wait to be written, in the order in which they came. It holds no memory while it is empty. */
export class ByteQueue {
  #bytes: Uint8Array | undefined;
  #start = 0;
  #end = 0;

  /** How many bytes wait. */
  get size(): number {
    return this.#end - this.#start;
  }

  /** Makes room for so many bytes more, which are to be written to what is returned at once. */
  add(size: number): { bytes: Uint8Array; at: number } {
    const needed = this.#end + size;
    if (!this.#bytes || this.#bytes.length < needed) {
      const waiting = this.#bytes?.subarray(this.#start, this.#end);
      const larger = new Uint8Array(Math.max(256, 2 * (this.size + size)));
      if (waiting) larger.set(waiting);
      this.#end -= this.#start;
      this.#start = 0;
      this.#bytes = larger;
    }
    const at = this.#end;
    this.#end += size;
    return { bytes: this.#bytes, at };
  }

  /** Adds bytes. */
  push(bytes: Uint8Array) {
    const to = this.add(bytes.length);
    to.bytes.set(bytes, to.at);
  }

  /** Moves as much as there is room for. Returns where what comes next goes. */
  moveTo(into: Uint8Array, at: number): number {
    if (!this.#bytes) return at;
    const size = Math.min(this.size, into.length - at);
    into.set(this.#bytes.subarray(this.#start, this.#start + size), at);
    this.#start += size;
    if (this.#start === this.#end) this.clear();
    return at + size;
  }

  /** Drops what waits. */
  clear() {
    this.#bytes = undefined;
    this.#start = this.#end = 0;
  }
}
