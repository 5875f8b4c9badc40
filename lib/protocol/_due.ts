const none: ReadonlySet<string> = new Set();
const noDoubts: readonly string[] = [];
const noNames: ReadonlyMap<string, boolean> = new Map();

/**
 * Names of a type of which a client may lack something, and why: all that is to be looked at before the next response.
 * A stream at rest has none, and keeps no set of them.
 */
export class Due {
  /** Whether the client may lack something; if not, there is no need to look. */
  mayLack = true;
  /** Whether to answer even if nothing is lacking: a client that just opened a subscription waits for it. */
  mustAnswer = false;
  #names: Set<string> | "all" | undefined;
  /** Names to send whatever the client was sent; false if it may not have what it was sent. */
  #forced: Map<string, boolean> | undefined;
  #awaited: Set<string> | undefined;

  /** Names whose state in the view may differ from what is held. */
  get names(): ReadonlySet<string> | "all" {
    return this.#names ?? none;
  }

  /** Names to send whether the client was sent them or not. */
  get forced(): Pick<ReadonlyMap<string, boolean>, "has" | "keys" | "size"> {
    return this.#forced ?? noNames;
  }

  /** Whether the client may have been sent something of a name that it has, or has not: a NACK does not say. */
  isDoubted(name: string): boolean {
    return this.#forced?.get(name) === false;
  }

  /** Names of which the client may have been sent something that it has, or has not. */
  get doubted(): readonly string[] {
    if (!this.#forced) return noDoubts;
    return [...this.#forced.keys()].filter((name) => this.isDoubted(name));
  }

  /** Notes that the state of a name may differ from what is held. */
  note(name: string) {
    const names = this.#names ??= new Set();
    if (names !== "all") names.add(name);
  }

  /** Notes that the state of any name may. */
  noteAll() {
    this.#names = "all";
  }

  /** Has a name sent whether the client was sent it or not. */
  force(name: string) {
    (this.#forced ??= new Map()).set(name, true);
    this.note(name);
    this.mayLack = true;
  }

  /** Notes that the client may have what it was sent of a name, or what it had before: it NACKed something else with it. */
  doubt(name: string) {
    (this.#forced ??= new Map()).set(name, false);
    this.note(name);
    this.mayLack = true;
  }

  /** Has a name sent so once the client asks for it again. */
  await(name: string) {
    (this.#awaited ??= new Set()).add(name);
  }

  /** Has those sent that are asked for again. */
  forceAwaited(asked: ReadonlySet<string>) {
    for (const name of this.#awaited ?? none) {
      if (!asked.has(name)) continue;
      this.said(name);
      this.force(name);
    }
  }

  /** Whether any name is to be asked for again. */
  get isAwaiting(): boolean {
    return this.#awaited !== undefined;
  }

  /** Notes that something was said of a name. */
  said(name: string) {
    this.#awaited?.delete(name);
    if (this.#awaited?.size === 0) this.#awaited = undefined;
  }

  /** Notes that a name is no longer asked for. */
  drop(name: string) {
    this.#forced?.delete(name);
    this.said(name);
  }

  /** Notes that all was looked at; but for names that are to be again, and names that are still to be forced. */
  looked(later?: Set<string>, forced?: Set<string>) {
    this.#names = later?.size ? later : undefined;
    const before = this.#forced;
    this.#forced = forced?.size
      ? new Map([...forced].map((name) => [name, before?.get(name) ?? true]))
      : undefined;
  }
}
