import { bigintOf, textHash } from "../../lib/resource/_hash.ts";
import {
  isCollection,
  shortName,
  traitsOf,
  TypeUrl,
} from "../../lib/resource/mod.ts";
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
import { clustersOf, keyOf, mentioned, shown } from "./_responses.ts";
import { Watched } from "./_watched.ts";
import type { Wish } from "./_wish.ts";
import { Witness } from "./_witness.ts";

const UNLESS_MOVED = "unless the version moved";

/** Takes chance away; what it returns gives it back. */
function replaceRandom(): () => void {
  const { random } = Math;
  Math.random = () => 0.5;
  return () => {
    Math.random = random;
  };
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
        // What a client has already it does not NACK.
        const [fresh] = oldest && witness.fresh.get(oldest) || [];
        const name = fresh ?? (oldest && mentioned(oldest)[0]);
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
        for (const [name, what] of wish.refused) {
          const isReplaced = what !== (truth?.get(name)?.version ?? null);
          if (isReplaced) wish.told.due.add(name);
        }
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
    await this.#exchange();
    // What waits for a time goes on: for names that are not requested, and for those that still are.
    for (const seconds of [2, 40]) {
      this.#clock.advance(seconds * 1000);
      await this.#exchange();
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

  /** Lets all clients read and acknowledge until there is nothing left to. */
  async #exchange() {
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
    const isDue = typeUrl === TypeUrl.ClusterLoadAssignment &&
      [...names].some((name) => wish.told.due.has(name));
    if (isDue || witness.isSentAgain(wish)) return "a cluster may wait for it";
    const isOwed = typeUrl === TypeUrl.RouteConfiguration &&
      [...witness.owed].some((name) => names.has(name));
    if (isOwed) return "a listener may wait for it";
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
      if (witness.isSentAgain(wish)) continue;
      const canSay = protocol === "delta" ||
        traitsOf(typeUrl).composition === "full" ||
        wish.names.has(name);
      if (wish.unknown.has(name)) continue;
      if (!truth.has(name) && canSay && refused.get(name) !== null) {
        throw new Error(`${what}: it still has ${name}`);
      }
    }
    if (witness.isSentAgain(wish)) return;
    for (const name of wish.names) {
      if (truth.has(name) || held.has(name) || isCollection(name)) continue;
      if (wish.unknown.has(name)) continue;
      if (!client.missing(typeUrl).has(name) && !wish.unheard.has(name)) {
        throw new Error(`${what}: it waits for ${name}, which is not there`);
      }
    }
  }

  /** Whether a client waits, as it should, for something that it NACKed to be replaced. */
  #waits({ number }: Witness, typeUrl: string): boolean {
    return !!this.#cache.of(number, typeUrl)?.outcome?.blocked;
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
      if (!view || view === settled) continue;
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
          const isNacked = wishes.get(TypeUrl.Cluster)?.refused.has(name);
          if (clusters.has(name) || isNacked) continue;
          throw new Error(
            `client ${number}: routes ${routes.name} lead to ${name}, which it has not`,
          );
        }
      }
    }
  }
}
