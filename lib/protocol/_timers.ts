import type { StreamAction } from "./events.ts";

/** Timers of a stream, by id, which its driver runs. */
export class Timers {
  readonly #running = new Set<string>();
  #started: StreamAction[] = [];

  /** Starts a timer, in milliseconds, unless it runs. */
  start(id: string, after: number) {
    if (this.#running.has(id)) return;
    this.#running.add(id);
    this.#started.push({ kind: "timer", id, after });
  }

  /** A timer went off. */
  fired(id: string) {
    this.#running.delete(id);
  }

  /** Timers that were started since the last call. */
  take(): StreamAction[] {
    const started = this.#started;
    if (started.length > 0) this.#started = [];
    return started;
  }
}
