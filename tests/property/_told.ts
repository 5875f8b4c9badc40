import type { TestResponse } from "../../lib/testing/mod.ts";
import { collectionOf } from "../../lib/resource/mod.ts";

/** What a resource is, whatever version it came with: its bytes and TTL, as one text. */
export type ContentKey = string;

/**
 * What a client was told of one type on one stream, and what of it may be said again: kept as a list of facts, so that
 * each response can be judged by what the protocol says and nothing else.
 */
export class Told {
  /** The last that was said of a name: what it is, or null for "there is none". */
  readonly last = new Map<string, ContentKey | null>();
  /** Names that a request or a changed cluster lets the server say again. */
  readonly due = new Set<string>();
  /** Whether a subscription was opened, which is answered though there be nothing to say. */
  opened = false;
  /** Responses that had nothing new in them, and renewed TTLs. */
  readonly heartbeats = new WeakSet<TestResponse>();

  /** @param full whether a response holds everything, and what is left out of it is gone */
  constructor(readonly full: boolean) {}

  /** Says that a client asked for a name, anew or again. */
  asked(name: string) {
    this.due.add(name);
    for (const known of this.last.keys()) {
      if (collectionOf(known) === name) this.due.add(known);
    }
  }

  /** Forgets names that the client no longer asks for. */
  forget(isAsked: (name: string) => boolean) {
    for (const name of this.last.keys()) {
      if (!isAsked(name)) this.last.delete(name);
    }
  }

  /**
   * Judges a response and remembers it.
   *
   * @param isAsked whether the client asks for a name, by itself or by a wildcard
   * @param isNamed whether the client asks for a name by itself
   * @param isHeld whether the client has a resource of that name
   * @returns names of resources that were new to the client
   * @throws {Error} if it says what the client was told already, or did not ask for
   */
  take(
    response: TestResponse,
    keyOf: (resource: TestResponse["resources"][number]) => ContentKey,
    isAsked: (name: string) => boolean,
    isNamed: (name: string) => boolean,
    isHeld: (name: string) => boolean,
  ): Set<string> {
    const { resources, removed, missing, refreshed } = response;
    const says = resources.length + removed.length + missing.length;
    if (refreshed.length > 0 && says === 0) {
      for (const name of refreshed) {
        if (!isHeld(name)) {
          throw new Error(`${name} is refreshed, and not held`);
        }
      }
      this.heartbeats.add(response);
      return new Set();
    }
    const fresh = new Set<string>();
    const repeated: string[] = [];
    const seen = new Set<string>();
    const say = (name: string, what: ContentKey | null) => {
      if (seen.has(name)) throw new Error(`${name} is said twice`);
      seen.add(name);
      const isNews = this.due.has(name) || this.last.get(name) !== what;
      if (isNews) fresh.add(name);
      else repeated.push(name);
    };
    for (const resource of resources) {
      const { name } = resource;
      if (!isAsked(name)) throw new Error(`${name} was not asked for`);
      say(name, keyOf(resource));
    }
    for (const name of [...removed, ...missing]) {
      const known = this.last.has(name) || this.due.has(name);
      if (!known && !isNamed(name)) {
        throw new Error(`${name} is said to be gone, and never was`);
      }
      say(name, null);
    }
    let gone = 0;
    for (const [name, what] of this.last) {
      if (this.full && what !== null && !seen.has(name)) {
        gone++;
        this.last.set(name, null);
      }
    }
    const isNews = fresh.size + gone > 0 || this.opened;
    // In state of the world a heartbeat may come with its bodies.
    if (!isNews && resources.some(({ ttl }) => ttl !== undefined)) {
      this.heartbeats.add(response);
      return fresh;
    }
    if (!isNews) throw new Error("there is nothing in it that is new");
    if (repeated.length > 0 && !this.full) {
      throw new Error(`${repeated.join(", ")} was said already`);
    }
    for (const resource of resources) {
      this.last.set(resource.name, keyOf(resource));
    }
    for (const name of [...removed, ...missing]) this.last.set(name, null);
    for (const name of seen) this.due.delete(name);
    this.opened = false;
    return fresh;
  }
}
