import type { View } from "../cache/mod.ts";
import type { Resource } from "../resource/mod.ts";
import { type Claim, provenBy } from "./_claim.ts";
import { Due } from "./_due.ts";
import { Holdings, isHeld } from "./_holdings.ts";
import { allNames, type Plan, planNames, planWildcard } from "./_plan.ts";
import type { Names } from "./_referred.ts";
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
  /** Whether something that the view no longer has is yet to be removed from the client. */
  hasLeftovers = false;
  readonly #protocol: Protocol;
  readonly #responses: Responses;
  readonly #trustsVersion: boolean;
  /** What the client says it has, until it was compared. */
  #claim: Claim | undefined;

  constructor(options: LedgerOptions) {
    const { protocol, responses, legacyWildcard, trustsVersion } = options;
    this.#protocol = protocol;
    this.#responses = responses;
    this.#trustsVersion = trustsVersion;
    this.wanted = new Wanted(legacyWildcard);
    this.holdings = new Holdings(protocol === "sotw");
  }

  /**
   * Takes what a request says of what the client wants, and has; whether it wants something else now. `referred` are names
   * that it needs again, whatever it says that it has.
   */
  take(wanted: StreamRequest["wanted"], referred?: Names): boolean {
    const opening = !this.wanted.opened;
    const change = this.wanted.take(wanted);
    if (wanted.kind === "all") {
      this.due.forceAwaited(this.wanted.names);
      if (opening && wanted.version !== "") {
        const { wildcard, names } = this.wanted;
        const legacy = wanted.names.length === 0;
        this.#claim = { version: wanted.version, wildcard, names, legacy };
        this.cameWith = true;
      }
    } else if (opening) {
      this.cameWith = wanted.versions.size > 0;
      for (const [name, version] of wanted.versions) {
        this.holdings.set(name, version);
      }
    }
    if (referred) {
      for (const name of this.wanted.names) {
        if (referred.has(name)) this.due.force(name);
      }
    }
    if (change) this.#resubscribe(change, opening);
    return change !== undefined;
  }

  /** Takes what the cache has now; `names` are those that may have changed, undefined if that is not known. */
  update(view: View, names: ReadonlySet<string> | undefined) {
    const { wanted, due } = this;
    this.#compareClaim(view);
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

  /** The resources of a view that the client lacks. */
  *lacking(view: View): Iterable<Resource> {
    const { wanted, holdings, due } = this;
    if (!due.mayLack) return;
    const { base } = holdings;
    const { forced } = due;
    const names = wanted.wildcard
      ? base ? [...view.since(base), ...forced] : view.resources.keys()
      : due.names === "all"
      ? allNames(view, wanted, holdings)
      : due.names;
    for (const name of names) {
      const resource = view.resources.get(name);
      if (!resource) continue;
      const lacks = forced.has(name) || !isHeld(holdings.of(name), resource);
      if (lacks) yield resource;
    }
  }

  /** Names that the client has, and a view no longer. */
  *leftovers(view: View): Iterable<string> {
    if (!this.hasLeftovers) return;
    const { base, named } = this.holdings;
    for (const name of base ? view.since(base) : nothing) {
      if (base?.resources.has(name) && !view.resources.has(name)) yield name;
    }
    for (const [name, held] of named) {
      if (held && !view.resources.has(name)) yield name;
    }
  }

  /** What to send of a view, noted as sent. Without `removals`, what it no longer has is left with the client. */
  plan(view: View, removals: boolean, onHold: boolean): Plan {
    const { wanted, holdings, due } = this;
    const responses = this.#responses;
    const options = { wanted, holdings, due, responses, removals, onHold };
    const plan = wanted.wildcard
      ? planWildcard(view, options)
      : planNames(view, options);
    this.hasLeftovers = plan.hasLeftovers;
    return plan;
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
    for (const name of repeated) due.force(name);
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

  /** Takes the version that a reconnecting client claims for what the client has, if that proves anything. */
  #compareClaim(view: View) {
    const claim = this.#claim;
    if (!claim) return;
    this.#claim = undefined;
    const { wanted, holdings, due } = this;
    const proven = provenBy(claim, view, wanted, this.#trustsVersion);
    if (!proven) return;
    if (proven !== "all") {
      for (const name of proven) {
        if (!wanted.covers(name)) continue;
        holdings.set(name, view.resources.get(name) ?? null);
      }
    } else if (wanted.wildcard) {
      holdings.base = view;
      for (const name of claim.names) {
        if (!view.resources.has(name)) due.force(name);
      }
    }
    due.mustAnswer = false;
    holdings.accepted = claim.version;
  }
}
