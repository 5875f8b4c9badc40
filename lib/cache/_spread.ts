/** The shares of clients at which it is told that a change has come so far. */
const SHARES = [0.5, 0.99, 1] as const;

/** How far a change has come. */
export interface SpreadTold {
  /** That so many of the clients have answered it. */
  share(told: {
    share: number;
    clients: number;
    refused: number;
    duration: number;
  }): void;
  /** That newer changes overtook it with some of the clients, and those that they did not have answered. */
  overtaken(
    told: { clients: number; answered: number; duration: number },
  ): void;
}

/**
 * Which of the clients that a change concerns have answered it. Those that leave count no longer; those that a newer
 * change overtakes never will have.
 */
export class Spread<C> {
  readonly #waiting: Set<C>;
  readonly #elapsed: () => number;
  readonly #told: SpreadTold;
  #answered = 0;
  #refused = 0;
  #overtaken = 0;
  #said = 0;
  #isOver = false;

  /** @param elapsed milliseconds since the change was made */
  constructor(clients: Iterable<C>, elapsed: () => number, told: SpreadTold) {
    this.#waiting = new Set(clients);
    this.#elapsed = elapsed;
    this.#told = told;
  }

  /** Whether a client has yet to answer. */
  waitsFor(client: C): boolean {
    return this.#waiting.has(client);
  }

  answer(client: C, hasRefused: boolean) {
    if (!this.#waiting.delete(client)) return;
    this.#answered++;
    if (hasRefused) this.#refused++;
    this.#review();
  }

  leave(client: C) {
    if (this.#waiting.delete(client)) this.#review();
  }

  /** A newer change concerns that client, or all that have not answered. */
  overtake(client?: C) {
    const overtaken = client === undefined ? [...this.#waiting] : [client];
    for (const one of overtaken) {
      if (this.#waiting.delete(one)) this.#overtaken++;
    }
    if (overtaken.length > 0) this.#review();
  }

  #review() {
    const answered = this.#answered;
    const clients = answered + this.#waiting.size + this.#overtaken;
    const duration = this.#elapsed();
    while (
      this.#said < SHARES.length && clients > 0 &&
      answered >= Math.ceil(clients * SHARES[this.#said])
    ) {
      const share = SHARES[this.#said++];
      this.#told.share({ share, clients, refused: this.#refused, duration });
    }
    // Whoever was told of a share may have made the change that overtook this one.
    if (this.#isOver || this.#waiting.size > 0) return;
    this.#isOver = true;
    if (this.#overtaken > 0) {
      this.#told.overtaken({ clients, answered, duration });
    }
  }
}
