import { fromBinary } from "@bufbuild/protobuf";
import { RouteConfigurationSchema } from "@xds/envoy/envoy/config/route/v3";
import type {
  Cache,
  Client,
  Outcome,
  View,
  Watch,
  WatchRequest,
  WatchSink,
} from "../../lib/cache/mod.ts";
import { bigintOf, textHash } from "../../lib/resource/_hash.ts";
import { isFullState } from "../../lib/protocol/order.ts";
import type { Protocol } from "../../lib/protocol/mod.ts";
import {
  collectionOf,
  createResource,
  isCollection,
  shortName,
  TypeUrl,
} from "../../lib/resource/mod.ts";
import {
  type HeldResource,
  TestClient,
  type TestResponse,
} from "../../lib/testing/mod.ts";
import { concerned } from "../../lib/protocol/_refusal.ts";
import { typeOf } from "../protocol/_resources.ts";
import { FakeClock } from "../support/clock.ts";
import {
  LinearSubject,
  long,
  MuxSubject,
  OnDemandSubject,
  SnapshotSubject,
  type Subject,
} from "./_caches.ts";
import { type ContentKey, Told } from "./_told.ts";

/** What a resource holds, by which two of them are the same. */
function keyOf({ typeUrl, name, bytes, ttl }: HeldResource): ContentKey {
  return createResource({ typeUrl, name, bytes, ttl }).version;
}

/** What one client asks for of one type, as it means it. */
class Wish {
  opened = false;
  hasNamed = false;
  wildcard = false;
  names: ReadonlySet<string> = new Set();
  told: Told;
  /** What was refused and was not accepted since: its content, or null if it was to be removed. */
  readonly refused = new Map<string, ContentKey | null>();
  /** Whether the response that it answered last had nothing in it, and was refused. */
  refusedNothing = false;
  /** Names of what it took, or lost, with a response that it refused in part, so that the version it says it has is not that of it. */
  readonly partial = new Set<string>();
  /** Names of which it did not have what it said, when it reconnected with a version: no server can know of them. */
  readonly unknown = new Set<string>();
  /** Names that were refused with one answer: all are sent again when one of them is replaced. */
  readonly together: ReadonlySet<string>[] = [];
  /** Names of which the client refused to hear that there is nothing. */
  readonly unheard = new Set<string>();

  constructor(readonly typeUrl: string, readonly protocol: Protocol) {
    this.told = this.newlyTold();
  }

  newlyTold(): Told {
    const { protocol, typeUrl } = this;
    const full = protocol === "sotw" && isFullState(typeUrl);
    return new Told(full);
  }

  /** Whether something that was refused stands. */
  get refuses(): boolean {
    return this.refusedNothing || this.refused.size + this.unheard.size > 0;
  }

  isNamed = (name: string): boolean =>
    this.names.has(name) || this.names.has(collectionOf(name) ?? "");
  isAsked = (name: string): boolean => this.wildcard || this.isNamed(name);
}

/** A client under test: what it was told, and what it should have. */
class Witness {
  readonly client: TestClient;
  readonly node: string;
  readonly protocol: Protocol;
  readonly follow: boolean;
  readonly wishes = new Map<string, Wish>();
  readonly unanswered: TestResponse[] = [];
  /** Whether the server knows all that the client holds: not after a reconnection, in state of the world. */
  isKnown = true;
  /** Whether it has read a response on its stream. */
  hasRead = false;
  readonly #legacyWildcard: boolean;

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
    if (isFirst || wish.wildcard !== hadWildcard) wish.told.opened = true;
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
      for (const child of followed) this.answerAll(child);
    }
    const wish = this.wish(response.typeUrl);
    if (error === undefined) {
      wish.refusedNothing = false;
      if (wish.told.full && response.refreshed.length === 0) {
        wish.refused.clear();
        wish.unheard.clear();
        wish.partial.clear();
        wish.unknown.clear();
      }
      for (const name of mentioned(response)) {
        wish.refused.delete(name);
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
      for (const [name, resource] of held) told.last.set(name, keyOf(resource));
      told.opened = held.size === 0;
    }
    this.isKnown = this.protocol === "delta";
    this.client.reconnect();
  }

  #judge(response: TestResponse, subject: Subject) {
    const { typeUrl } = response;
    const isFirst = this.unanswered.every((its) => its.typeUrl !== typeUrl);
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
    const names = new Set(concerned(error, said));
    if (!wish.told.full) {
      // As of Envoy, it is not known what it took of the rest, nor which of several was at fault.
      for (const name of said) if (!names.has(name)) wish.told.due.add(name);
      if (names.size > 1) wish.together.push(names);
    }
    wish.refusedNothing = said.length === 0;
    for (const resource of response.resources) {
      const { name } = resource;
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

const UNLESS_MOVED = "unless the version moved";

/** Types that clients ask for since others refer to them. */
const followed: readonly string[] = [
  TypeUrl.ClusterLoadAssignment,
  TypeUrl.RouteConfiguration,
];

/** Clusters that routes lead to. */
function clustersOf({ bytes }: HeldResource): string[] {
  const { virtualHosts } = fromBinary(RouteConfigurationSchema, bytes);
  return virtualHosts.map(({ name }) => name);
}

/** Takes chance away; what it returns gives it back. */
function replaceRandom(): () => void {
  const { random } = Math;
  Math.random = () => 0.5;
  return () => {
    Math.random = random;
  };
}

/** Names of other resources in a resource: endpoints of a cluster, routes of a listener. */
function references({ typeUrl, name, bytes }: HeldResource): string[] {
  const { references } = createResource({ typeUrl, name, bytes }).references;
  return references.flatMap((its) =>
    followed.includes(its.typeUrl) ? [its.name] : []
  );
}

function mentioned({ names, removed, missing }: TestResponse): string[] {
  return [...names, ...removed, ...missing];
}

function shown(response: TestResponse): string {
  const { typeUrl, nonce, names, removed, missing, refreshed } = response;
  const parts = [
    ...names,
    ...removed.map((name) => `-${name}`),
    ...missing.map((name) => `?${name}`),
    ...refreshed.map((name) => `~${name}`),
  ];
  return `response ${nonce} of ${shortName(typeUrl)} [${parts.join(" ")}]`;
}

interface Seen {
  readonly request: WatchRequest;
  view?: View;
  settled?: View;
  outcome?: Outcome;
  held: boolean;
}

/** Watches of a cache, with what it was told last of who has come to rest. */
class Watched implements Cache {
  readonly watches = new Set<Seen>();

  constructor(readonly cache: Cache) {}

  watch(request: WatchRequest, sink: WatchSink): Watch {
    const seen: Seen = { request, held: false };
    this.watches.add(seen);
    const watch = this.cache.watch(request, {
      changed(view, names) {
        seen.view = view;
        seen.held = false;
        sink.changed(view, names);
      },
      held(names) {
        seen.held = true;
        sink.held?.(names);
      },
      heartbeat: () => sink.heartbeat?.(),
    });
    return {
      get makeBeforeBreak() {
        return watch.makeBeforeBreak;
      },
      subscribed: () => watch.subscribed?.(),
      sent: (view) => watch.sent?.(view),
      refused: (refusal) => watch.refused?.(refusal),
      settled(view, outcome) {
        seen.settled = view;
        seen.outcome = outcome;
        watch.settled?.(view, outcome);
      },
      [Symbol.dispose]: () => {
        this.watches.delete(seen);
        watch[Symbol.dispose]();
      },
    };
  }

  /** The watch of a type by a client, of which the number is its node's cluster. */
  of(client: number, typeUrl: string): Seen | undefined {
    return [...this.watches].find(({ request }) =>
      request.client.node.cluster === String(client) &&
      request.typeUrl === typeUrl
    );
  }

  get clients(): Client[] {
    return [...new Set([...this.watches].map((its) => its.request.client))];
  }
}

/**
 * A cache and some clients of it, as a script says, and all that must be true of them:
 *
 * - `cache snapshot [ads] [at-once] [versioned] [crowd]`, `cache linear [mbb] [versioned] [crowd]`, `cache on-demand`,
 *   `cache mux`, first of all
 * - `client sotw n1 [follow] [no-legacy-wildcard]`: a client of node n1; clients are then told of by their numbers, from 0
 * - `0 subscribe Cluster a,b`, `0 unsubscribe Cluster a`, without names for all of it
 * - `0 read`: it reads what there is; `0 ack`, `0 nack` and `0 nack-first` answer the oldest response, the last by a
 *   message that names its first resource
 * - `0 reconnect`
 * - `advance 20`: so many seconds pass
 * - `rest`: all is read and accepted, and looked at
 * - what changes the cache, see `_caches.ts`
 */
export class World {
  readonly #clock = new FakeClock();
  #subject!: Subject;
  #cache!: Watched;
  readonly #witnesses: Witness[] = [];

  /** Runs a script, and looks at everything once more at its end. */
  async run(lines: readonly string[]): Promise<void> {
    // Heartbeats come when they do by chance, and a script is to go the same way each time.
    using _ = { [Symbol.dispose]: replaceRandom() };
    try {
      for (const [index, line] of [...lines, "rest", "again"].entries()) {
        try {
          await this.#execute(line);
        } catch (cause) {
          const { message } = cause as Error;
          throw new Error(`line ${index + 1}: ${line}: ${message}`, { cause });
        }
      }
    } finally {
      for (const { client } of this.#witnesses) client.close();
    }
  }

  async #execute(line: string) {
    const [verb, ...words] = line.split(" ");
    const witness = this.#witnesses[Number(verb)];
    if (witness) this.#executeFor(witness, words);
    else if (verb === "cache") this.#open(words);
    else if (verb === "client") {
      this.#witnesses.push(
        new Witness(this.#cache, this.#witnesses.length, words),
      );
    } else if (verb === "rest") await this.#rest();
    else if (verb === "again") await this.#again();
    else if (verb === "advance") this.#clock.advance(Number(words[0]) * 1000);
    else if (!this.#subject.execute(verb, words)) {
      throw new SyntaxError(`what is ${verb}?`);
    }
    await this.#settle();
    this.#noteGone();
    this.#noteReplaced();
    this.#checkSteps();
  }

  #open([kind, ...options]: readonly string[]) {
    this.#subject = kind === "snapshot"
      ? new SnapshotSubject(options, this.#clock)
      : kind === "linear"
      ? new LinearSubject(options, this.#clock)
      : kind === "on-demand"
      ? new OnDemandSubject(this.#clock)
      : new MuxSubject(options, this.#clock);
    this.#cache = new Watched(this.#subject.cache);
  }

  #executeFor(witness: Witness, [verb, short, list]: readonly string[]) {
    const names = list?.split(",").map(long);
    const [oldest] = witness.unanswered;
    switch (verb) {
      case "subscribe":
        return witness.subscribe(typeOf(short)!, names ?? []);
      case "unsubscribe":
        return witness.unsubscribe(typeOf(short)!, names);
      case "read":
        witness.read(this.#subject);
        return;
      case "ack":
        if (oldest) witness.answer(oldest);
        return;
      case "nack":
        if (oldest) witness.answer(oldest, "no");
        return;
      case "nack-first": {
        const name = oldest && mentioned(oldest)[0];
        if (oldest) witness.answer(oldest, name ? `${name}: no` : "no");
        return;
      }
      case "reconnect":
        return witness.reconnect();
      default:
        throw new SyntaxError(`what is ${verb}?`);
    }
  }

  /** Lets those finish who answer later. */
  async #settle() {
    if (this.#subject instanceof SnapshotSubject) return;
    if (this.#subject instanceof LinearSubject) return;
    for (let turn = 0; turn < 8; turn++) await undefined;
  }

  /** Notes what is sent again though it stands, since something that was refused with it was replaced. */
  #noteReplaced() {
    for (const { node, wishes } of this.#witnesses) {
      for (const wish of wishes.values()) {
        const truth = this.#subject.truth(node, wish.typeUrl, wish);
        for (const names of wish.together) {
          const isReplaced = [...names].some((name) =>
            wish.refused.has(name) &&
            wish.refused.get(name) !== (truth?.get(name)?.version ?? null)
          );
          if (isReplaced) names.forEach((name) => wish.told.due.add(name));
        }
      }
    }
  }

  /** State of the world cannot say that some types' resources are gone; when these come back, they are sent. */
  #noteGone() {
    for (const { node, protocol, wishes } of this.#witnesses) {
      if (protocol === "delta") continue;
      for (const wish of wishes.values()) {
        const truth = this.#subject.truth(node, wish.typeUrl, wish);
        for (const [name, what] of wish.told.last) {
          if (what !== null && truth && !truth.has(name)) {
            wish.told.due.add(name);
          }
        }
      }
    }
  }

  async #rest() {
    this.#subject.rest?.();
    await this.#settle();
    this.#noteReplaced();
    for (let round = 0, busy = true; busy; round++) {
      if (round > 50) throw new Error("it does not come to rest");
      busy = false;
      for (const witness of this.#witnesses) {
        if (witness.read(this.#subject) > 0 || witness.unanswered.length > 0) {
          busy = true;
        }
        witness.answerAll();
        this.#checkSteps();
      }
      this.#subject.rest?.();
      await this.#settle();
      this.#noteGone();
      this.#noteReplaced();
    }
    for (const witness of this.#witnesses) {
      if (witness.client.ended) throw witness.client.ended;
      for (const wish of witness.wishes.values()) this.#look(witness, wish);
      const { node, wishes } = witness;
      witness.isKnown ||= [...wishes.values()].every((wish) =>
        this.#subject.truth(node, wish.typeUrl, wish) !== undefined
      );
    }
    this.#subject.check?.(this.#cache.clients, true);
    this.#checkSettled();
    await this.#checkSettlement();
  }

  /** Reconnects all clients, of which those that have all there is are sent nothing. */
  async #again() {
    const before = new Map<Wish, { reason: string; version: string }>();
    for (const witness of this.#witnesses) {
      for (const wish of witness.wishes.values()) {
        const reason = this.#mayBeSent(witness, wish);
        const version = witness.client.version(wish.typeUrl);
        before.set(wish, { reason, version });
      }
      const clusters = before.get(witness.wish(TypeUrl.Cluster));
      const endpoints = before.get(witness.wish(TypeUrl.ClusterLoadAssignment));
      // Clusters that are sent are warmed, which takes their endpoints.
      if (endpoints && clusters?.reason) endpoints.reason ||= clusters.reason;
      witness.reconnect();
    }
    await this.#settle();
    for (const witness of this.#witnesses) {
      witness.read(this.#subject);
      for (const response of [...witness.unanswered]) {
        const wish = witness.wish(response.typeUrl);
        const { reason, version } = before.get(wish)!;
        const isSame = version === response.version;
        // That there is nothing to send may be said once, by sending nothing.
        if (mentioned(response).length === 0) continue;
        if (reason === "" || (reason === UNLESS_MOVED && isSame)) {
          throw new Error(`${shown(response)} was sent to who has it all`);
        }
      }
    }
    await this.#rest();
  }

  /** Why a client that reconnects may be sent something though it lacks nothing; empty if it may not. */
  #mayBeSent(witness: Witness, wish: Wish): string {
    const { client, node, protocol } = witness;
    const { typeUrl, names, wildcard } = wish;
    const truth = this.#subject.truth(node, typeUrl, wish);
    if (!truth) return "nothing is said to it";
    const held = client.held(typeUrl);
    const asked = [...truth.values()].filter(({ name }) => wish.isAsked(name));
    if (wish.refused.size > 0) return "it refused something";
    if (held.size !== asked.length || asked.length === 0) return "it differs";
    for (const { name, version } of asked) {
      const has = held.get(name);
      if (!has || keyOf(has) !== version) return "it differs";
    }
    const missing = [...names].filter((name) => !truth.has(name));
    if (missing.length > 0 && (wildcard || protocol === "delta")) {
      return "that something is not there is said again";
    }
    if (protocol === "delta") return "";
    if (this.#cache.of(witness.number, typeUrl)?.view?.versionGiven) {
      return wildcard && !wish.hasNamed
        ? UNLESS_MOVED
        : "the version says nothing of the names that it was for";
    }
    let sum = 0n;
    for (const { fingerprint } of asked) sum += fingerprint;
    for (const name of missing) sum += bigintOf(textHash(name));
    const digits = BigInt.asUintN(64, sum).toString(16).padStart(16, "0");
    // A client is told no version when it drops a name.
    return client.version(typeUrl) === digits ? "" : "it knows no version";
  }

  /** Looks at what a client holds of a type when everything was read and answered. */
  #look(witness: Witness, wish: Wish) {
    const { client, node, protocol } = witness;
    const { typeUrl, refused } = wish;
    const truth = this.#subject.truth(node, typeUrl, wish);
    if (!truth || !wish.opened) return;
    if (this.#waits(witness, typeUrl)) return;
    const what = `client ${witness.number}, ${shortName(typeUrl)}`;
    const held = client.held(typeUrl);
    for (const { name, version } of truth.values()) {
      if (!wish.isAsked(name) || refused.get(name) === version) continue;
      if (wish.unknown.has(name)) continue;
      const has = held.get(name);
      if (!has) throw new Error(`${what}: it lacks ${name}`);
      if (keyOf(has) !== version) {
        throw new Error(`${what}: it has an old ${name}`);
      }
    }
    for (const name of held.keys()) {
      if (!wish.isAsked(name)) throw new Error(`${what}: ${name} was kept`);
      // What state of the world does not send in full it can say of names alone.
      const canSay = protocol === "delta" || isFullState(typeUrl) ||
        wish.names.has(name);
      if (wish.unknown.has(name)) continue;
      if (!truth.has(name) && canSay && refused.get(name) !== null) {
        throw new Error(`${what}: it still has ${name}`);
      }
    }
    for (const name of wish.names) {
      if (truth.has(name) || held.has(name) || isCollection(name)) continue;
      if (wish.unknown.has(name)) continue;
      if (!client.missing(typeUrl).has(name) && !wish.unheard.has(name)) {
        throw new Error(`${what}: it waits for ${name}, which is not there`);
      }
    }
  }

  /** Whether a client waits, as it should, for names to be asked for or for something refused to be replaced. */
  #waits({ number, follow }: Witness, typeUrl: string): boolean {
    const watch = this.#cache.of(number, typeUrl);
    if (follow && watch?.held) {
      throw new Error(
        `client ${number}, ${shortName(typeUrl)}: what it asks for is held`,
      );
    }
    return watch !== undefined &&
      (this.#isHeld(watch) || !!watch.outcome?.blocked);
  }

  /** Whether a watch, or another that it waits for, waits for names to be asked for. */
  #isHeld({ held, request }: Seen): boolean {
    if (held) return true;
    if (!this.#subject.makeBeforeBreak) return false;
    const { client } = request;
    return [...this.#cache.watches].some((other) =>
      other.held && other.request.client === client
    );
  }

  /** Every watch has come to rest with the newest view. */
  #checkSettled() {
    for (const watch of this.#cache.watches) {
      const { request, view, settled } = watch;
      const { client, typeUrl } = request;
      const { refusal } = watch.outcome ?? {};
      const wish = this.#witnesses[Number(client.node.cluster)].wish(typeUrl);
      if (refusal && settled === view && !wish.refuses) {
        throw new Error(
          `${client.node.id}'s ${shortName(typeUrl)} is said to be refused, ` +
            "and what was refused was replaced",
        );
      }
      if (!view || this.#isHeld(watch) || view === settled) continue;
      throw new Error(
        `${request.client.node.id}'s ${
          shortName(request.typeUrl)
        } has not settled`,
      );
    }
  }

  async #checkSettlement() {
    if (!(this.#subject instanceof SnapshotSubject)) return;
    for (const key of new Set(this.#witnesses.map(({ node }) => node))) {
      const { cache } = this.#subject;
      const states = cache.status(key).flatMap(({ types }) => types);
      if (states.some(({ state }) => state === "held")) continue;
      let accepted: boolean | undefined;
      cache.settled(key).then((settlement) => accepted = settlement.accepted);
      await undefined;
      if (accepted === undefined) throw new Error(`${key} does not settle`);
      const should = states.every(({ state }) =>
        state === "accepted" || state === "absent"
      );
      if (accepted !== should) throw new Error(`${key}: accepted: ${accepted}`);
      if (accepted && this.#isRefused(key)) {
        throw new Error(`${key} is said to be accepted, and is refused`);
      }
    }
  }

  /** Whether a client refused something that is served as it is, and has nothing else of it. */
  #isRefused(key: string): boolean {
    return this.#witnesses.some(({ node, wishes }) =>
      node === key && [...wishes.values()].some((wish) => {
        const truth = this.#subject.truth(node, wish.typeUrl, wish);
        return [...wish.refused].some(([name, what]) =>
          what !== null && truth?.get(name)?.version === what
        );
      })
    );
  }

  /** Make before break: no route is held, at any time, to a cluster that is not, be it not yet or no longer. */
  #checkSteps() {
    if (!this.#subject.makeBeforeBreak) return;
    for (const { client, isKnown, wishes, follow, number } of this.#witnesses) {
      const [first] = wishes.values();
      // Whoever asks for listeners before clusters is given them.
      if (!isKnown || !follow || first?.typeUrl !== TypeUrl.Cluster) continue;
      const clusters = client.held(TypeUrl.Cluster);
      for (const routes of client.held(TypeUrl.RouteConfiguration).values()) {
        for (const name of clustersOf(routes)) {
          if (clusters.has(name)) continue;
          throw new Error(
            `client ${number}: routes ${routes.name} lead to ${name}, which it has not`,
          );
        }
      }
    }
  }
}
