import type { Protocol } from "../../lib/protocol/mod.ts";
import { mentionedNames } from "../../lib/protocol/_nack.ts";
import type { Cache } from "../../lib/cache/mod.ts";
import { collectionOf, traitsOf, TypeUrl } from "../../lib/resource/mod.ts";
import { TestClient, type TestResponse } from "../../lib/testing/mod.ts";
import type { Subject } from "./_caches.ts";
import { followed, keyOf, mentioned, references, shown } from "./_responses.ts";
import { Wish } from "./_wish.ts";

/** A client under test: what it was told, and what it should have. */
export class Witness {
  readonly client: TestClient;
  readonly node: string;
  readonly protocol: Protocol;
  readonly follow: boolean;
  readonly wishes = new Map<string, Wish>();
  readonly unanswered: TestResponse[] = [];
  /** Whether the server knows all that the client holds: not after a reconnection, in state of the world. */
  isKnown = true;
  /** Names of which a response said something new. */
  readonly fresh = new WeakMap<TestResponse, ReadonlySet<string>>();
  /** Routes that a listener that was sent may need again. */
  readonly owed = new Set<string>();
  /** Whether it has read a response on its stream. */
  hasRead = false;
  readonly #legacyWildcard: boolean;
  /** Types in the order in which they were requested first. */
  readonly #opened = new Set<string>();
  /** Types of which it is about to answer a response. */
  readonly #answering = new Set<string>();

  constructor(
    cache: Cache,
    readonly number: number,
    [protocol, node, ...options]: readonly string[],
  ) {
    this.node = node;
    this.protocol = protocol as Protocol;
    this.follow = options.includes("follow");
    this.#legacyWildcard = !options.includes("no-legacy-wildcard");
    this.client = new TestClient(cache, {
      node: { id: node, cluster: String(number) },
      protocol: this.protocol,
      follow: this.follow,
      legacyWildcard: this.#legacyWildcard,
    });
    // It reads when it is told to.
    this.client.pause();
  }

  wish(typeUrl: string): Wish {
    let wish = this.wishes.get(typeUrl);
    if (!wish) {
      this.wishes.set(typeUrl, wish = new Wish(typeUrl, this.protocol));
    }
    return wish;
  }

  subscribe(typeUrl: string, names: readonly string[]) {
    this.noteSubscribed(typeUrl, names);
    this.client.subscribe(typeUrl, names);
  }

  unsubscribe(typeUrl: string, names: readonly string[] | undefined) {
    const wish = this.wish(typeUrl);
    if (!wish.opened) return;
    // As Envoy, which answers what it reads before it says anything else.
    this.answerAll(typeUrl);
    const all = [...wish.wildcard ? ["*"] : [], ...wish.names];
    this.noteUnsubscribed(wish, names ?? all);
    this.client.unsubscribe(typeUrl, names);
  }

  noteSubscribed(typeUrl: string, names: readonly string[]) {
    const wish = this.wish(typeUrl);
    const isFirst = !wish.opened;
    if (isFirst && !wish.wildcard && wish.names.size === 0) {
      this.#opened.delete(typeUrl);
    }
    this.#opened.add(typeUrl);
    const hadWildcard = wish.wildcard;
    wish.opened = true;
    if (names.length === 0) {
      // The first means all, unless the server is told otherwise; later ones name the wildcard.
      wish.wildcard ||= !isFirst || wish.hasNamed || this.#legacyWildcard;
      wish.hasNamed ||= !isFirst;
    }
    wish.hasNamed ||= names.length > 0;
    for (const name of names) {
      if (name === "*") wish.wildcard = true;
      else {
        if (this.protocol === "delta" || !wish.names.has(name)) {
          wish.told.asked(name);
        }
        wish.names = new Set([...wish.names, name]);
      }
    }
    const isRepeated = this.protocol === "delta" && !isFirst &&
      (names.length === 0 || names.includes("*"));
    if (isFirst || isRepeated || wish.wildcard !== hadWildcard) {
      wish.told.opened = true;
    }
  }

  noteUnsubscribed(wish: Wish, names: readonly string[]) {
    wish.hasNamed ||= names.length > 0;
    if (names.includes("*")) wish.wildcard = false;
    for (const name of names) {
      if (wish.names.has(name)) wish.told.due.delete(name);
      // In delta, one that a wildcard goes on to give is told where it stands.
      const isAsked = wish.names.has(name) && wish.wildcard;
      if (isAsked && this.protocol === "delta") wish.told.asked(name);
    }
    wish.names = new Set([...wish.names].filter((its) => !names.includes(its)));
    wish.told.forget(wish.isAsked);
    for (const name of wish.refused.keys()) {
      if (!wish.isAsked(name)) wish.refused.delete(name);
    }
  }

  /** Reads what there is, and judges it. */
  read(subject: Subject): number {
    this.client.resume();
    this.client.pause();
    const responses = this.client.read();
    for (const response of responses) this.#judge(response, subject);
    return responses.length;
  }

  answer(response: TestResponse, error?: string) {
    this.unanswered.splice(this.unanswered.indexOf(response), 1);
    // As Envoy, which answers what it has read before it asks for something else.
    if (this.follow) {
      this.#answering.add(response.typeUrl);
      for (const child of followed) {
        if (!this.#answering.has(child)) this.answerAll(child);
      }
      this.#answering.delete(response.typeUrl);
    }
    const wish = this.wish(response.typeUrl);
    if (error === undefined) {
      wish.refusedNothing = false;
      if (wish.told.full && response.refreshed.length === 0) {
        // It is left without what it NACKed.
        for (const [name, what] of wish.refused) {
          const isOmitted = !response.names.includes(name);
          if (what === null && isOmitted) wish.refused.delete(name);
        }
        wish.unheard.clear();
        wish.partial.clear();
        wish.unknown.clear();
      }
      const held = this.client.held(wish.typeUrl);
      for (const name of mentioned(response)) {
        const resource = response.resources.find((its) => its.name === name);
        const before = held.get(name);
        // What it had before it is sent in place of what it NACKed.
        const isKept = resource && before && keyOf(before) === keyOf(resource);
        if (!isKept) wish.refused.delete(name);
        wish.unheard.delete(name);
        wish.partial.delete(name);
        wish.unknown.delete(name);
      }
      response.ack();
    } else {
      this.#noteRefused(wish, response, error);
      response.nack(error);
    }
    if (this.follow) this.#noteFollowed();
  }

  answerAll(typeUrl?: string) {
    for (const response of [...this.unanswered]) {
      if (typeUrl !== undefined && response.typeUrl !== typeUrl) continue;
      if (this.unanswered.includes(response)) {
        this.answer(response);
      }
    }
  }

  reconnect() {
    this.unanswered.length = 0;
    this.hasRead = false;
    for (const wish of this.wishes.values()) {
      if (this.protocol === "sotw") {
        const { last, due } = wish.told;
        for (const name of wish.partial) wish.unknown.add(name);
        for (const name of wish.names) {
          if (!last.has(name) || due.has(name)) wish.unknown.add(name);
        }
      }
      const told = wish.told = wish.newlyTold();
      if (wish.typeUrl === TypeUrl.RouteConfiguration) {
        for (const name of this.owed) told.due.add(name);
      }
      const canSay = this.protocol === "delta" || told.full;
      for (const [name, what] of wish.refused) {
        // That something is gone, and who refused to hear it, no version says.
        if (what !== null || canSay) wish.refused.delete(name);
      }
      wish.refusedNothing = false;
      wish.opened = wish.wildcard || wish.names.size > 0;
      told.opened = this.protocol === "sotw";
      if (this.protocol === "sotw") continue;
      const held = this.client.held(wish.typeUrl);
      if (this.isSentAgain(wish)) {
        told.opened = true;
        continue;
      }
      for (const [name, resource] of held) told.last.set(name, keyOf(resource));
      told.opened = held.size === 0;
    }
    this.isKnown = this.protocol === "delta";
    this.client.reconnect();
  }

  /** An Envoy that gets a listener may need the listener's routes again. */
  #noteOwed(response: TestResponse, fresh: ReadonlySet<string>) {
    const routes = this.wish(TypeUrl.RouteConfiguration);
    for (const resource of response.resources) {
      if (!fresh.has(resource.name)) continue;
      for (const name of references(resource)) {
        routes.told.due.add(name);
        this.owed.add(name);
      }
    }
  }

  /** Whether what it asks for is sent again when it reconnects: endpoints that it requests before clusters. */
  isSentAgain({ typeUrl }: Wish): boolean {
    const types = [...this.#opened].filter((typeUrl) => {
      const { wildcard, names } = this.wish(typeUrl);
      return wildcard || names.size > 0;
    });
    return typeUrl === TypeUrl.ClusterLoadAssignment &&
      !types.slice(0, types.indexOf(typeUrl)).includes(TypeUrl.Cluster);
  }

  #judge(response: TestResponse, subject: Subject) {
    const { typeUrl } = response;
    // Nobody waits for the answer to one that an Envoy may not answer.
    const isSilent = ({ typeUrl, resources, refreshed }: TestResponse) =>
      this.protocol === "sotw" && resources.length + refreshed.length === 0 &&
      traitsOf(typeUrl).composition !== "full";
    const isFirst = this.unanswered.every((its) =>
      its.typeUrl !== typeUrl || isSilent(its)
    );
    if (!isFirst) throw new Error(`${shown(response)} came before an answer`);
    this.unanswered.push(response);
    const wish = this.wish(typeUrl);
    const { told, isAsked, isNamed } = wish;
    let fresh: Set<string>;
    try {
      if (mentioned(response).length + response.refreshed.length === 0) {
        // Whoever reconnects with all that there is may be told so.
        told.opened ||= !this.hasRead;
      }
      this.hasRead = true;
      fresh = told.take(
        response,
        keyOf,
        isAsked,
        isNamed,
        (name) =>
          told.last.get(name) != null || this.client.held(typeUrl).has(name),
      );
      const truth = subject.truth(this.node, typeUrl, wish);
      for (const name of [...response.removed, ...response.missing]) {
        const isThere = truth?.has(name) ||
          truth?.keys().some((its) => collectionOf(its) === name);
        if (isThere) throw new Error(`${name} is there`);
        if (subject.isPending?.(typeUrl, name)) {
          throw new Error(`nobody knows yet whether ${name} is there`);
        }
      }
    } catch (cause) {
      throw new Error(
        `${shown(response)}: ${(cause as Error).message}`,
        { cause },
      );
    }
    this.fresh.set(response, fresh);
    if (typeUrl === TypeUrl.RouteConfiguration) {
      for (const name of mentioned(response)) this.owed.delete(name);
    }
    if (typeUrl === TypeUrl.Listener) this.#noteOwed(response, fresh);
    if (typeUrl !== TypeUrl.Cluster) return;
    // Clusters that changed are warmed, which takes their endpoints.
    const endpoints = this.wish(TypeUrl.ClusterLoadAssignment);
    for (const resource of response.resources) {
      if (!fresh.has(resource.name)) continue;
      for (const name of references(resource)) endpoints.told.due.add(name);
    }
  }

  #noteRefused(wish: Wish, response: TestResponse, error: string) {
    // What a heartbeat renews the client has, whatever it says.
    if (wish.told.heartbeats.has(response)) {
      wish.refusedNothing = false;
      return;
    }
    const said = [...response.names, ...response.removed];
    // Whatever was in it may be said again.
    wish.told.opened = true;
    const mentioned = mentionedNames(error, said);
    const names = new Set(mentioned.length > 0 ? mentioned : said);
    // As of Envoy, it is not known what it took of the rest, nor, where it does not say, which of several was at fault.
    for (const name of response.missing) wish.told.due.add(name);
    for (const name of said) {
      if (mentioned.length === 0 || !names.has(name)) wish.told.due.add(name);
    }
    for (const name of wish.told.last.keys()) {
      if (wish.told.full) wish.told.due.add(name);
    }
    if (names.size > 1) wish.together.push(names);
    if (mentioned.length === 0) wish.isUnresolved = true;
    wish.refusedNothing = said.length === 0;
    for (const resource of response.resources) {
      const { name } = resource;
      const had = this.client.held(wish.typeUrl).get(name);
      const isFresh = this.fresh.get(response)?.has(name);
      if (!isFresh && had && keyOf(had) === keyOf(resource)) continue;
      if (names.has(name)) {
        wish.refused.set(name, keyOf(resource));
      } else wish.refused.delete(name);
    }
    for (const name of response.removed) {
      if (!names.has(name)) continue;
      wish.refused.set(name, null);
      wish.unheard.add(name);
    }
    if (names.size < said.length) {
      const lost = wish.told.full ? this.client.held(wish.typeUrl).keys() : [];
      for (const name of [...said, ...lost]) wish.partial.add(name);
      return;
    }
    for (const name of response.missing) {
      wish.unheard.add(name);
      wish.refused.set(name, null);
    }
    if (!wish.told.full) return;
    // Whoever refuses all of a full response keeps what it left out.
    for (const name of this.client.held(wish.typeUrl).keys()) {
      if (!response.names.includes(name)) wish.refused.set(name, null);
    }
    for (const name of wish.names) {
      if (!response.names.includes(name)) wish.unheard.add(name);
    }
  }

  /** Notes for what a client asks that follows what its resources refer to. */
  #noteFollowed() {
    for (
      const [typeUrl, parent] of [
        [TypeUrl.ClusterLoadAssignment, TypeUrl.Cluster],
        [TypeUrl.RouteConfiguration, TypeUrl.Listener],
      ]
    ) {
      const wanted = new Set(
        [...this.client.held(parent).values()].flatMap(references),
      );
      const wish = this.wish(typeUrl);
      const dropped = [...wish.names].filter((name) => !wanted.has(name));
      const added = [...wanted].filter((name) => !wish.names.has(name));
      if (added.length > 0) this.noteSubscribed(typeUrl, added);
      if (dropped.length > 0) this.noteUnsubscribed(wish, dropped);
    }
  }
}
