import { Resource, traitsOf } from "../resource/mod.ts";
import { Aging } from "./_aging.ts";
import type { Reason } from "./_restraint.ts";
import type { Timers } from "./_timers.ts";
import type { Sent, TypeState } from "./type_state.ts";

type Find = (typeUrl: string) => TypeState | undefined;

/** A resource that another referred to, and no longer does. */
interface Lost {
  readonly typeUrl: string;
  readonly name: string;
}

/**
 * How long a client that requests a resource by name may take to stop, once nothing refers to it any longer, in
 * milliseconds: grpc-java never uses a cluster again that it was told is gone while it requests it.
 */
const RETENTION = 30_000;

/**
 * What is not removed at once, though nothing refers to it any longer: resources that an Envoy serves existing connections
 * with, since a listener or an extension's configuration that referred to them was replaced or removed, and resources that
 * the client itself will stop to request.
 */
export class Drains {
  readonly #timers: Timers;
  readonly #find: Find;
  readonly #draining = new Aging();
  readonly #retained = new Aging();
  #drain = 0;
  /** What responses in flight lose, by their type. */
  readonly #lost = new Map<string, readonly Lost[]>();

  constructor(timers: Timers, find: Find) {
    this.#timers = timers;
    this.#find = find;
  }

  /** Whether something of a type is not removed at once. */
  concerns(typeUrl: string): boolean {
    return this.#draining.hasType(typeUrl) || this.#retained.hasType(typeUrl);
  }

  /** Why a resource is not removed yet; undefined if it may be. */
  reason({ typeUrl }: TypeState, name: string): Reason | undefined {
    if (this.#draining.has(typeUrl, name)) return "draining";
    return this.#retained.has(typeUrl, name) ? "still_requested" : undefined;
  }

  /** A response was sent. */
  sent(state: TypeState, { changed, removed, before }: Sent) {
    if (!state.makesBeforeBreak) return;
    const lost: Lost[] = [];
    for (const name of removed) lost.push(...referencesOf(before(name)));
    for (const resource of changed) {
      const old = before(resource.name);
      if (!(old instanceof Resource) || old === resource) continue;
      const kept = new Set(referencesOf(resource).map(keyOf));
      lost.push(...referencesOf(old).filter((its) => !kept.has(keyOf(its))));
    }
    if (lost.length > 0) this.#lost.set(state.typeUrl, lost);
    else this.#lost.delete(state.typeUrl);
    this.#regain(changed);
  }

  /** The client answered a response. */
  answered(state: TypeState, isNack: boolean) {
    const lost = this.#lost.get(state.typeUrl);
    if (!lost) return;
    this.#lost.delete(state.typeUrl);
    if (isNack) return;
    const drain = traitsOf(state.typeUrl).drains
      ? state.sequencing?.drain ?? 0
      : 0;
    for (const { typeUrl, name } of lost) {
      this.keep(typeUrl, name, drain);
      const subscription = this.#find(typeUrl)?.subscription;
      if (!subscription?.names.has(name) || subscription.wildcard) continue;
      if (this.#retained.add(typeUrl, name)) {
        this.#timers.start(RETAIN, Aging.interval(RETENTION));
      }
    }
  }

  /** Keeps a resource for a time, in milliseconds. */
  keep(typeUrl: string, name: string, drain: number) {
    if (drain === 0) return;
    this.#drain = drain;
    if (this.#draining.add(typeUrl, name)) {
      this.#timers.start(DRAIN, Aging.interval(drain));
    }
  }

  /** Whether connections are served with a resource that nothing refers to. */
  isDraining(typeUrl: string, name: string): boolean {
    return this.#draining.has(typeUrl, name);
  }

  /** The client requests some names no longer. */
  unsubscribed(typeUrl: string, names: Iterable<string>) {
    for (const name of names) this.#retained.delete(typeUrl, name);
  }

  /** A timer went off; false if it is none of these. */
  timer(id: string): boolean {
    if (id === DRAIN) {
      if (this.#draining.tick()) {
        this.#timers.start(DRAIN, Aging.interval(this.#drain));
      }
      return true;
    }
    if (id !== RETAIN) return false;
    if (this.#retained.tick()) {
      this.#timers.start(RETAIN, Aging.interval(RETENTION));
    }
    return true;
  }

  /** The step is over. */
  settle() {
    this.#draining.settle();
    this.#retained.settle();
  }

  /** What something refers to again is lost no longer. */
  #regain(changed: readonly Resource[]) {
    for (const resource of changed) {
      for (const { typeUrl, name } of referencesOf(resource)) {
        this.#retained.delete(typeUrl, name);
      }
    }
  }
}

const DRAIN = "drain";
const RETAIN = "retain";

function referencesOf(held: unknown): readonly Lost[] {
  return held instanceof Resource ? held.references.references : [];
}

function keyOf({ typeUrl, name }: Lost): string {
  return `${typeUrl} ${name}`;
}
