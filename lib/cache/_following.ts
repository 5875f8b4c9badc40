import type { Client } from "./cache.ts";
import type { Clock } from "./clock.ts";
import type { ChangeEvent } from "./events.ts";
import { Spread } from "./_spread.ts";

/** Follows how far the newest snapshot of a group has come, and tells. */
export class Following {
  readonly #clock: Clock;
  readonly #tell: (event: ChangeEvent) => void;
  #spread: Spread<Client> | undefined;

  constructor(clock: Clock, tell: (event: ChangeEvent) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** There is another snapshot, that concerns these clients. */
  begin(clients: Iterable<Client>) {
    const overtaken = this.#spread;
    const begun = this.#clock.now();
    const elapsed = () => Math.max(0, this.#clock.now() - begun);
    this.#spread = new Spread(clients, elapsed, {
      share: (told) => this.#tell({ kind: "spread", ...told }),
      overtaken: (told) => this.#tell({ kind: "overtake", ...told }),
    });
    // Last, since whoever is told of it may set another.
    overtaken?.overtake();
  }

  /** The snapshot is taken back. */
  end() {
    this.#spread = undefined;
  }

  waitsFor(client: Client): boolean {
    return this.#spread?.waitsFor(client) ?? false;
  }

  reached(client: Client, hasRefused: boolean) {
    this.#spread?.answer(client, hasRefused);
  }

  left(client: Client) {
    this.#spread?.leave(client);
  }
}
