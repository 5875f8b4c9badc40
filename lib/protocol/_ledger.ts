import type { View } from "../cache/mod.ts";
import { Resource } from "../resource/mod.ts";
import { type Claim, provenBy } from "./_claim.ts";
import { Due } from "./_due.ts";
import { type Held, Holdings, isHeld } from "./_holdings.ts";
import {
  allNames,
  type Before,
  type Plan,
  planNames,
  planWildcard,
} from "./_plan.ts";
import type { Names } from "./_referred.ts";
import type { Restraint } from "./_restraint.ts";
import { Wanted, type WantedChange } from "./_wanted.ts";
import type { StreamRequest } from "./request.ts";
import type { Protocol, Responses } from "./response.ts";

/** How a client's requests are read. */
export interface LedgerOptions {
  readonly protocol: Protocol;
  readonly responses: Responses;
  /** Whether a first request that names nothing asks for all. */
  readonly legacyWildcard: boolean;
  /** Whether the version in a first request is taken for what the client has even where it says nothing of names. */
  readonly trustsVersion: boolean;
}

const nothing: readonly string[] = [];

/** What a client wants of a type, what it has of it, and so what it lacks. */
export class Ledger {
  readonly wanted: Wanted;
  readonly holdings: Holdings;
  readonly due = new Due();
  /** Whether the client, when it opened the subscription, said what it had. */
  cameWith = false;
  readonly #protocol: Protocol;
  readonly #responses: Responses;
  readonly #trustsVersion: boolean;
  /** What the client says it has, until it was compared. */
  #claim: Claim | undefined;
  /** Names that the client has dropped since it made the claim. */
  #unclaimed: Set<string> | undefined;
  /** Delta: whether the versions that the client says it has were looked up. */
  #isRecognized = false;

  constructor(options: LedgerOptions) {
    const { protocol, responses, legacyWildcard, trustsVersion } = options;
    this.#protocol = protocol;
    this.#responses = responses;
    this.#trustsVersion = trustsVersion;
    this.wanted = new Wanted(legacyWildcard);
    this.holdings = new Holdings(protocol === "sotw");
  }

  /**
   * Takes what a request says of what the client wants, and has. `referred` are names that it needs again, whatever it says
   * that it has; `ignoresClaim` if what it says that it has proves nothing. Returns what changed of the subscription;
   * undefined if nothing did.
   */
  take(
    wanted: StreamRequest["wanted"],
    referred: Names | undefined,
    ignoresClaim: boolean,
  ): WantedChange | undefined {
    const opening = !this.wanted.opened;
    const change = this.wanted.take(wanted);
    if (wanted.kind === "all") {
      this.due.forceAwaited(this.wanted.names);
      if (opening && wanted.version !== "") {
        const { wildcard, names } = this.wanted;
        const legacy = wanted.names.length === 0;
        const claim = { version: wanted.version, wildcard, names, legacy };
        if (!ignoresClaim) this.#claim = claim;
        this.cameWith = true;
      }
    } else if (opening) {
      this.cameWith = wanted.versions.size > 0;
      for (const [name, version] of ignoresClaim ? [] : wanted.versions) {
        this.holdings.set(name, version);
      }
    }
    if (referred) {
      for (const name of this.wanted.names) {
        if (referred.has(name)) this.due.force(name);
      }
    }
    if (change) this.#resubscribe(change, opening);
    if (change && !opening) this.#limitClaim(change);
    return change;
  }

  /**
   * Takes names that a superseded request left out: the client has dropped what it had of them, so that they are sent again
   * once it requests them again.
   */
  passOver(names: readonly string[]) {
    const { wanted, holdings, due } = this;
    if (wanted.wildcard) return;
    const requested = new Set(names);
    for (const name of wanted.names) {
      if (!requested.has(name) && holdings.named.get(name)) due.await(name);
    }
  }

  /** Takes what the cache has now; `names` are those that may have changed, undefined if that is not known. */
  update(names: ReadonlySet<string> | undefined) {
    const { wanted, due } = this;
    if (wanted.wildcard) {
      due.mayLack = true;
      return;
    }
    if (names === undefined) {
      due.noteAll();
      due.mayLack = true;
    }
    if (due.names === "all") return;
    const hasCollections = wanted.collections.size > 0;
    const [fewer, more] = hasCollections || names!.size < wanted.names.size
      ? [names!, wanted.names]
      : [wanted.names, names!];
    for (const name of fewer) {
      if (hasCollections ? wanted.covers(name) : more.has(name)) {
        due.note(name);
        due.mayLack = true;
      }
    }
  }

  /**
   * Marks names to be sent again, of those that the client was sent or says it has. In state of the world it asks for
   * them again; in delta it cannot, since it never stopped asking.
   */
  resend(names: Iterable<string>) {
    const { holdings, due } = this;
    for (const name of names) {
      if (this.#protocol === "sotw") {
        if (this.#claim || holdings.named.get(name)) due.await(name);
      } else if (holdings.named.get(name)) due.force(name);
    }
  }

  /** What the client has that differs from a set: an older version of a resource, or one that the set lacks. */
  *outdated(view: View): Iterable<[name: string, held: Held]> {
    const { wanted, holdings, due } = this;
    const { base, named } = holdings;
    if (!wanted.wildcard) {
      const names = due.names === "all" ? named.keys() : due.names;
      for (const name of names) {
        const held = named.get(name);
        if (held && !isCurrent(view, name, held)) yield [name, held];
      }
      return;
    }
    for (const name of base ? view.since(base) : nothing) {
      const held = base!.resources.get(name);
      if (held) yield [name, held];
    }
    for (const [name, held] of named) {
      if (held && !isCurrent(view, name, held)) yield [name, held];
    }
  }

  /** The resources of a set that the client lacks. */
  *lacking(view: View): Iterable<Resource> {
    const { wanted, holdings, due } = this;
    const { base, named } = holdings;
    const { forced } = due;
    const names = wanted.wildcard
      ? base
        ? [...view.since(base), ...forced.keys(), ...named.keys()]
        : view.resources.keys()
      : due.names === "all"
      ? allNames(view, wanted, holdings)
      : due.names;
    for (const name of names) {
      const resource = view.resources.get(name);
      if (!resource || !wanted.covers(name)) continue;
      const lacks = forced.has(name) || !isHeld(holdings.of(name), resource);
      if (lacks) yield resource;
    }
  }

  /** What to send of a set, noted as sent. */
  plan(view: View, restraint: Restraint, listsAll: boolean): Plan {
    const { wanted, holdings, due } = this;
    const responses = this.#responses;
    const options = { wanted, holdings, due, responses, restraint, listsAll };
    return wanted.wildcard
      ? planWildcard(view, options)
      : planNames(view, options);
  }

  /** Notes that the client has of some names what `have` says. */
  revert(names: Iterable<string>, have: Before) {
    const { wanted, holdings, due } = this;
    due.mayLack = true;
    const { base } = holdings;
    if (!wanted.wildcard || !base) {
      for (const name of names) {
        if (!wanted.covers(name)) continue;
        holdings.set(name, have(name));
        due.note(name);
      }
      return;
    }
    const changes = new Map<string, Resource | undefined>();
    for (const name of names) {
      const held = have(name);
      const resource = held instanceof Resource ? held : undefined;
      if (resource !== base.resources.get(name)) changes.set(name, resource);
      holdings.set(name, resource ? undefined : held);
      // The client waits to hear of what it requests by name.
      if (!resource && wanted.names.has(name)) due.force(name);
    }
    if (changes.size > 0) {
      holdings.base = this.#responses.substituted(base, changes);
    }
  }

  /** The names that the client asks for or was told of. */
  names(): Iterable<string> {
    return new Set([
      ...this.wanted.names,
      ...this.holdings.base?.resources.keys() ?? nothing,
      ...this.holdings.named.keys(),
    ]);
  }

  /** Goes over to the new subscription. */
  #resubscribe(
    { before, added, dropped, repeated }: WantedChange,
    opening: boolean,
  ) {
    const { due } = this;
    const { wildcard, collections, asks } = this.wanted;
    if (before.wildcard && !wildcard) this.#leaveWildcard(before.names);
    for (const name of dropped) due.drop(name);
    for (const name of repeated) {
      // A client that subscribes to everything once more waits for an answer.
      if (name === "*") due.mustAnswer = true;
      else due.force(name);
    }
    if (wildcard) {
      if (!opening) added.forEach((name) => due.force(name));
      // A client that no longer names what the wildcard gives it all the same has to be told where it stands.
      if (before.wildcard && this.#protocol === "delta") {
        dropped.forEach((name) => due.force(name));
      }
    } else {
      this.#forget(opening ? nothing : added);
    }
    if (wildcard !== before.wildcard || collections.size > 0) due.noteAll();
    else added.forEach((name) => due.note(name));
    if (opening ? asks : wildcard && !before.wildcard) {
      due.mustAnswer = this.#protocol === "sotw" ||
        this.holdings.named.size === 0 || !opening;
    }
    due.mayLack = true;
  }

  /** What the wildcard gave is held by name from now on, where it is still asked for. */
  #leaveWildcard(namesBefore: ReadonlySet<string>) {
    const { wanted, holdings, due } = this;
    const { base } = holdings;
    holdings.base = undefined;
    if (!base) return;
    for (const name of namesBefore) {
      // Of one that is yet to be sent, or found, the client was told nothing.
      if (wanted.names.has(name) && !due.forced.has(name)) {
        holdings.set(name, base.resources.get(name) ?? null);
      }
    }
    for (const glob of wanted.collections) {
      for (const name of base.collection(glob)) {
        holdings.set(name, base.resources.get(name));
      }
    }
  }

  /** Drops from what is held by name all that is no longer asked for, and what is asked for anew. */
  #forget(added: readonly string[]) {
    const { wanted, holdings } = this;
    for (const name of holdings.named.keys()) {
      if (!wanted.covers(name)) holdings.set(name, undefined);
    }
    for (const name of added) holdings.set(name, undefined);
  }

  /**
   * Takes what a reconnecting client says it has for what the client has, where that proves anything: the newest set, one
   * that the cache still knows, or a set that was sent in the middle of a change.
   */
  compareClaim(view: View, history: Iterable<View>) {
    const { wanted, holdings, due } = this;
    if (this.#protocol === "delta") {
      if (this.cameWith && !this.#isRecognized) this.#recognize(view, history);
      return;
    }
    const claim = this.#claim;
    if (!claim) return;
    this.#claim = undefined;
    for (const known of setsOf(view, history)) {
      const proven = provenBy(claim, known, this.#trustsVersion);
      if (!proven) continue;
      if (proven !== "all") {
        for (const name of proven) {
          if (!wanted.covers(name) || this.#unclaimed?.has(name)) continue;
          holdings.set(name, known.resources.get(name) ?? null);
          due.note(name);
        }
      } else if (wanted.wildcard) {
        holdings.base = known;
        for (const name of claim.names) {
          const isNamed = wanted.names.has(name);
          if (isNamed && !known.resources.has(name)) due.force(name);
        }
      }
      due.mustAnswer = false;
      holdings.accepted = claim.version;
      return;
    }
  }

  /** What a client no longer requests it drops, so that it does not have that even if it requests it again. */
  #limitClaim({ before, added, dropped }: WantedChange) {
    if (!this.#claim) return;
    if (before.wildcard !== this.wanted.wildcard) this.#claim = undefined;
    this.#unclaimed ??= new Set();
    for (const name of [...added, ...dropped]) this.#unclaimed.add(name);
  }

  /** Finds the resources whose versions a delta client says it has: what they refer to decides what must stay. */
  #recognize(view: View, history: Iterable<View>) {
    this.#isRecognized = true;
    const { holdings } = this;
    const known = [...setsOf(view, history)];
    for (const [name, version] of [...holdings.named]) {
      if (typeof version !== "string") continue;
      const resource = known
        .map(({ resources }) => resources.get(name))
        .find((resource) => resource?.version === version);
      if (resource) holdings.set(name, resource);
    }
  }
}

function isCurrent(view: View, name: string, held: Held): boolean {
  const resource = view.resources.get(name);
  return resource !== undefined && isHeld(held, resource);
}

/** A set and those that came before it, newest first, each with the variants of it that some client was sent. */
function* setsOf(view: View, history: Iterable<View>): Iterable<View> {
  for (const set of [view, ...history]) {
    yield set;
    yield* set.variants;
  }
}
