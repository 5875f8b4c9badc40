import { covers, type View } from "../cache/mod.ts";
import { traitsOf } from "../resource/mod.ts";
import type { Timers } from "./_timers.ts";
import type { StreamAction } from "./events.ts";
import type { Responses } from "./response.ts";
import type { Sent, TypeState } from "./type_state.ts";

/** Names of a type that the client is about to request. */
interface Expectation {
  /** The type whose response refers to them. */
  readonly parent: string;
  readonly names: ReadonlySet<string>;
  /** Whether updates of the type wait for that, so that what belongs together arrives together. */
  holds: boolean;
}

type Find = (typeUrl: string) => TypeState | undefined;

/**
 * What a client is about to request since it was sent what refers to it: the endpoints of new clusters, the routes of new
 * listeners. An Envoy requests them before it acknowledges the clusters, others afterwards.
 */
export class Expectations {
  readonly #responses: Responses;
  readonly #timers: Timers;
  readonly #find: Find;
  /** By the type that is about to be requested. */
  readonly #expected = new Map<string, Expectation>();
  /** The newest set of a type when the last response was sent that refers to it. */
  readonly #sets = new Map<string, View>();

  constructor(responses: Responses, timers: Timers, find: Find) {
    this.#responses = responses;
    this.#timers = timers;
    this.#find = find;
  }

  /** Whether updates of a type wait until the client has requested more names of it. */
  holds(state: TypeState): boolean {
    const expected = this.#expected.get(state.typeUrl);
    if (!expected?.holds || !state.sequencing?.holdTimeout) return false;
    if (this.missing(state.typeUrl).length === 0) return false;
    const sent = this.#find(expected.parent)?.inFlight;
    if (!sent) return false;
    // What is in flight may be acknowledged only once the client has what this refers to.
    const needed = this.#responses.references(sent.changed).get(state.typeUrl);
    for (const { name } of state.lacking()) {
      if (needed?.has(name)) return false;
    }
    return true;
  }

  /** Names of a type that the client is about to request, and has not. */
  missing(typeUrl: string): string[] {
    const expected = this.#expected.get(typeUrl);
    const state = expected && this.#find(typeUrl);
    if (!state?.view) return [];
    const { view, subscription } = state;
    return [...expected!.names].filter((name) =>
      view.resources.has(name) && !covers(subscription, name)
    );
  }

  /** Whether the client is about to request a name of a type. */
  expects(state: TypeState, name: string): boolean {
    return this.#expected.get(state.typeUrl)?.names.has(name) ?? false;
  }

  /** Whether the client is about to request anything of a type. */
  concerns(typeUrl: string): boolean {
    return this.#expected.has(typeUrl);
  }

  /** Sets that held what the client was sent references to. */
  setsOf(typeUrl: string): readonly View[] {
    const view = this.#sets.get(typeUrl);
    return view ? [view] : [];
  }

  /** A response was sent. */
  sent({ typeUrl, subscription, sequencing }: TypeState, { changed }: Sent) {
    if (!sequencing?.makeBeforeBreak && !sequencing?.holdTimeout) return;
    const followed = this.#responses.followed(changed, subscription.wildcard);
    for (const [child, names] of followed) {
      const state = this.#find(child);
      if (!state?.view || traitsOf(child).secret) continue;
      this.#sets.set(child, state.view);
      if (state.subscription.wildcard) continue;
      const isAsked = [...names].every((name) =>
        covers(state.subscription, name)
      );
      if (isAsked) continue;
      this.#expected.set(child, { parent: typeUrl, names, holds: true });
    }
  }

  /** The client requested names of a type. */
  requested(typeUrl: string, added: Iterable<string>) {
    const expected = this.#expected.get(typeUrl);
    if (!expected) return;
    for (const name of added) {
      // A client says in one request, mostly, all that it needs.
      if (expected.names.has(name)) expected.holds = false;
    }
    if (this.missing(typeUrl).length === 0) this.#expected.delete(typeUrl);
  }

  /** The client answered a response of a type. */
  answered(typeUrl: string, isNack: boolean) {
    for (const [child, expected] of this.#expected) {
      if (expected.parent !== typeUrl) continue;
      if (isNack) this.#expected.delete(child);
      else expected.holds = false;
    }
  }

  /** Starts timers of what is waited for, in milliseconds. */
  startTimers(after: number) {
    for (const typeUrl of this.#expected.keys()) {
      this.#timers.start(`expect ${typeUrl}`, after);
    }
  }

  /** A timer went off: nothing waits any longer. Returns actions that report what the client did not request. */
  timer(id: string): StreamAction[] {
    const typeUrl = id.slice("expect ".length);
    const names = this.missing(typeUrl);
    this.#expected.delete(typeUrl);
    return names.length > 0 ? [{ kind: "not_requested", typeUrl, names }] : [];
  }
}
