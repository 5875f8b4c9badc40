const none: ReadonlySet<string> = new Set();

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
  #forced: Set<string> | undefined;
  #awaited: Set<string> | undefined;

  /** Names whose state in the view may differ from what is held. */
  get names(): ReadonlySet<string> | "all" {
    return this.#names ?? none;
  }

  /** Names to send whether the client was sent them or not. */
  get forced(): ReadonlySet<string> {
    return this.#forced ?? none;
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
    (this.#forced ??= new Set()).add(name);
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
    this.#forced = forced?.size ? forced : undefined;
  }
}
