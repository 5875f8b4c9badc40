import {
  type Refusal,
  type ResourceState,
  sameContent,
  type Subscription,
  type View,
} from "../cache/mod.ts";
import { hashText, hex64 } from "../resource/_hash.ts";
import { Resource, TypeUrl } from "../resource/mod.ts";
import { concerned, takesTheRest } from "./_refusal.ts";
import { Wanted, type WantedChange } from "./_wanted.ts";
import { isFullState } from "./order.ts";
import type { StreamRequest } from "./request.ts";
import type { Lack, Protocol, Response, Responses } from "./response.ts";

/** What a client was last sent of a name: a resource, the version it said it has, or null for "there is none". */
type Held = Resource | string | null;

/** What a request turned out to be. */
export type Verdict =
  | { kind: "stale" }
  | {
    kind: "request";
    subscriptionChanged: boolean;
    answer: Answer | undefined;
  };

/** A client's answer to a response. */
export interface Answer {
  readonly response: Response;
  readonly refusal: Refusal | undefined;
}

/** What a client lacks, and the names among those that it asked for of which it is to be told that there are none. */
interface Plan {
  readonly lack: Lack;
  readonly unknown: readonly string[];
  /** Whether it is yet to be found out if there is a resource of some name that was asked for. */
  readonly undecided?: boolean;
  /** A view that holds all that the client will, where it is shared with others that lack the same. */
  readonly whole?: View;
  /** What the client had of a name before. */
  readonly before: (name: string) => Held | undefined;
}

/** What a type is on a stream. */
export interface TypeOptions {
  readonly typeUrl: string;
  readonly protocol: Protocol;
  readonly responses: Responses;
  /** Whether a first request that names nothing asks for all. */
  readonly legacyWildcard: boolean;
  /** Whether the version in a first request is taken for what the client has even where it says nothing of names. */
  readonly trustsVersion: boolean;
}

const nothing: readonly string[] = [];

/**
 * One type on one stream: what the client wants of it, what it was sent, and so what it lacks. State of the world and
 * delta differ in how a request changes the subscription and in what a response holds; all else is decided here, once.
 */
export class TypeState {
  readonly typeUrl: string;
  /** Whether it takes part in make before break. */
  makeBeforeBreak = false;
  /** Where what is to be removed stands with the requests that are under way to it. */
  drain: "none" | "needed" | "under way" | "done" = "none";
  readonly #protocol: Protocol;
  readonly #responses: Responses;
  readonly #wanted: Wanted;
  readonly #trustsVersion: boolean;

  #view: View | undefined;
  /** Whether the cache waits for something before it says more, so that nobody may be told that a name does not exist. */
  #onHold = false;
  /** What a wildcard's client was sent: all of this view. */
  #base: View | undefined;
  /** What the client was sent by name, and, under a wildcard, what it has beside `#base`. */
  readonly #held = new Map<string, Held>();
  /** The sum of the fingerprints of all in `#held`: the version of what a client wants by names. */
  #heldSum = 0n;
  /** Names whose state in the view may differ from what is held. */
  #dirty: Set<string> | "all" = new Set();
  /** Whether the client may lack something; if not, there is no need to look. */
  #mayLack = true;
  /** Whether something that the view no longer has is yet to be removed from the client. */
  #hasLeftovers = false;
  /** Names to send whether the client was sent them or not. */
  readonly #forced = new Set<string>();
  /** Names to force once the client asks for them again. */
  readonly #awaited = new Set<string>();
  /** Whether to answer even if nothing is lacking: a client that just opened a subscription waits for it. */
  #mustAnswer = false;
  #heartbeatDue = false;
  /** The version that the client says it has of what it asked for then, until it was compared. */
  #claimed:
    | {
      version: string;
      wildcard: boolean;
      names: ReadonlySet<string>;
      /** Whether it asked for all by naming nothing, and so never named anything. */
      legacy: boolean;
    }
    | undefined;

  /** Whether the client, when it opened the subscription, said what it had. */
  #cameWith = false;

  #inFlight: Response | undefined;
  /** What the client had of a name before the response under way. */
  #before: (name: string) => Held | undefined = () => undefined;
  #lastSerial = 0;
  /** The version that the client accepted last. */
  #accepted = "";
  readonly #refused = new Map<string, Refusal>();
  /** Those of the refused that the client has no older version of. */
  readonly #neverAccepted = new Set<string>();
  /** What the client has in place of the others that it refused. */
  readonly #standing = new Map<string, Held>();
  #reported: View | undefined;

  constructor(options: TypeOptions) {
    this.typeUrl = options.typeUrl;
    this.#protocol = options.protocol;
    this.#responses = options.responses;
    this.#wanted = new Wanted(options.legacyWildcard);
    this.#trustsVersion = options.trustsVersion;
  }

  /** What the client wants; always as of now. */
  get subscription(): Subscription {
    return this.#wanted;
  }

  /** True if the client has answered and has all that there is for it, but for removals and what it refused. */
  get isQuiet(): boolean {
    return !this.#view ||
      (!this.#inFlight && !this.#onHold && !this.#mayLack);
  }

  /** True if the client came with all that there is for it, and can be told so by a response that has nothing in it. */
  get mayAnswerEmpty(): boolean {
    return this.#cameWith && !this.#trustsVersion && this.#view !== undefined &&
      this.isQuiet &&
      !this.#hasLeftovers &&
      (this.#protocol === "delta" || !isFullState(this.typeUrl));
  }

  /** Something that the client refused. */
  get refusal(): Refusal | undefined {
    const [refusal] = this.#refused.values();
    return refusal;
  }

  /** Names that the client refused and has no older version of. */
  get neverAccepted(): ReadonlySet<string> {
    return this.#neverAccepted;
  }

  /** True if something is yet to be removed from the client. */
  get hasLeftovers(): boolean {
    return this.#hasLeftovers;
  }

  /** How many names the client would have asked for after a request. */
  sizeAfter(wanted: StreamRequest["wanted"]): number {
    return this.#wanted.sizeAfter(wanted);
  }

  /** Takes a request of the client's. */
  request(request: StreamRequest): Verdict {
    const { nonce, wanted } = request;
    const current = nonce !== "" && nonce === String(this.#lastSerial);
    const stale = nonce !== "" && !current && this.#lastSerial > 0;
    // A stale state-of-the-world request is superseded by the one that answers the newest response; the changes in a
    // delta request are said only once.
    if (stale && wanted.kind === "all") return { kind: "stale" };
    const answer = current ? this.#answer(request) : undefined;
    const opening = !this.#wanted.opened;
    const change = this.#wanted.take(wanted);
    if (wanted.kind === "all") {
      this.#forceAwaited();
      if (opening && wanted.version !== "") {
        const { wildcard, names } = this.#wanted;
        const legacy = wanted.names.length === 0;
        this.#claimed = { version: wanted.version, wildcard, names, legacy };
        this.#cameWith = true;
      }
    } else if (opening) {
      this.#cameWith = wanted.versions.size > 0;
      for (const [name, version] of wanted.versions) {
        this.#held.set(name, version);
      }
    }
    if (change) this.#resubscribe(change, opening);
    return { kind: "request", subscriptionChanged: !!change, answer };
  }

  /** Takes what the cache has now; `names` are those that may have changed, undefined if that is not known. */
  offer(view: View | undefined, names: ReadonlySet<string> | undefined) {
    // What was asked for during a hold is to be answered now.
    if (this.#onHold) this.#mayLack = true;
    this.#onHold = false;
    this.#view = view;
    this.#reported = undefined;
    if (!view) return;
    this.#compareClaim(view);
    this.#sendTogether(view);
    if (this.#wanted.wildcard) {
      this.#mayLack = true;
      return;
    }
    if (names === undefined) {
      this.#dirty = "all";
      this.#mayLack = true;
    }
    if (this.#dirty === "all") return;
    const wanted = this.#wanted.names;
    const hasCollections = this.#wanted.collections.size > 0;
    const [fewer, more] = hasCollections || names!.size < wanted.size
      ? [names!, wanted]
      : [wanted, names!];
    for (const name of fewer) {
      if (hasCollections ? this.#wanted.covers(name) : more.has(name)) {
        this.#dirty.add(name);
        this.#mayLack = true;
      }
    }
  }

  /** The cache has something newer that waits. */
  hold() {
    this.#onHold = true;
    this.#reported = undefined;
  }

  /** Resources that have a TTL are to be refreshed. */
  heartbeat() {
    this.#heartbeatDue = true;
  }

  /** Has the next response sent though the client lacks nothing. */
  answer() {
    this.#mustAnswer = true;
    this.#mayLack = true;
  }

  /**
   * Marks names to be sent again, of those that the client was sent or says it has. In state of the world it asks for
   * them again; in delta it cannot, since it never stopped asking.
   */
  resend(names: Iterable<string>) {
    const mayHave = !this.#wanted.opened || this.#claimed !== undefined;
    for (const name of names) {
      if (this.#protocol === "sotw") {
        if (mayHave || this.#held.get(name)) this.#awaited.add(name);
      } else if (this.#held.get(name)) this.#force(name);
    }
  }

  /** The resources that the next response would have for the client. */
  *lacking(): Iterable<Resource> {
    const view = this.#view;
    if (!view || !this.#mayLack) return;
    const base = this.#base;
    const names = this.#wanted.wildcard
      ? base ? [...view.since(base), ...this.#forced] : view.resources.keys()
      : this.#dirty === "all"
      ? this.#allNames(view)
      : this.#dirty;
    for (const name of names) {
      const resource = view.resources.get(name);
      if (resource && this.#lacks(name, resource)) yield resource;
    }
  }

  /** Names of what the client has yet to take: those in the response that it has not answered, or in the next one. */
  get outstanding(): readonly string[] {
    const response = this.#inFlight;
    if (response) return [...response.names, ...response.removed];
    return this.#onHold ? nothing : [...this.lacking()].map(({ name }) => name);
  }

  /** Names that the client has, and the view no longer. */
  *leftovers(): Iterable<string> {
    const view = this.#view;
    if (!view || !this.#hasLeftovers) return;
    const base = this.#base;
    for (const name of base ? view.since(base) : nothing) {
      if (base?.resources.has(name) && !view.resources.has(name)) yield name;
    }
    for (const [name, held] of this.#held) {
      if (held && !view.resources.has(name)) yield name;
    }
  }

  /**
   * The next response, if the client lacks something and has answered the last; `changed` are the resources that it
   * lacked. Without `removals`, what the view no longer has is left with the client.
   */
  next(removals: boolean):
    | { response: Response; view: View; changed: readonly Resource[] }
    | undefined {
    const view = this.#view;
    if (!view || this.#inFlight) return undefined;
    // What waits may have again what the view lacks.
    if (this.#onHold) removals = false;
    let changed: readonly Resource[] = [];
    let response: Response | undefined;
    if (this.#mayLack || (removals && this.#hasLeftovers)) {
      const plan = this.#wanted.wildcard
        ? this.#planWildcard(view, removals)
        : this.#planNames(view, removals);
      // What is yet to be found is an answer soon enough.
      const mustAnswer = this.#mustAnswer && !plan.undecided;
      response = this.#respond(view, plan, mustAnswer);
      if (response || !plan.undecided) this.#mustAnswer = false;
      this.#mayLack = response !== undefined;
      changed = plan.lack.resources;
      if (response) this.#remember(plan.before);
    }
    if (!response && this.#heartbeatDue) response = this.#refresh(view);
    if (!response) return undefined;
    this.#inFlight = response;
    this.#lastSerial = response.serial;
    this.#reported = undefined;
    if (response.isHeartbeat) return { response, view, changed: [] };
    const { names, removed, missing } = response;
    for (const said of [names, removed, missing]) {
      for (const name of said) {
        this.#unrefuse(name);
        this.#awaited.delete(name);
      }
    }
    return { response, view, changed };
  }

  /**
   * The view that the client has come to rest with; undefined if it has not, or if that was said already.
   *
   * @param blocked whether what it lacks will not be sent
   */
  settlement(blocked: boolean): View | undefined {
    const view = this.#view;
    if (!view || this.#reported === view || this.#inFlight || this.#onHold) {
      return undefined;
    }
    if (this.#mayLack && !blocked) return undefined;
    return this.#reported = view;
  }

  #remember(before: (name: string) => Held | undefined) {
    if (this.#refused.size === 0) {
      this.#before = before;
      return;
    }
    const refused = new Set(this.#refused.keys());
    const standing = new Map(this.#standing);
    this.#before = (name) =>
      refused.has(name) ? standing.get(name) : before(name);
  }

  /** Where the client stands with the resource of a name. */
  inspect(name: string): ResourceState {
    const held = this.#heldOf(name);
    const refusal = this.#refused.get(name);
    const resource = held instanceof Resource ? held : undefined;
    const version = typeof held === "string" ? held : resource?.version;
    const newest = this.#view?.resources.get(name)?.version;
    const about = { version, newest, resource, refusal, waitsFor: nothing };
    if (!this.#wanted.covers(name)) return { state: "unsubscribed", ...about };
    if (refusal) return { state: "refused", ...about };
    if (this.#inFlight?.speaksOf(name)) return { state: "sent", ...about };
    if (held) return { state: "accepted", ...about };
    return { state: held === null ? "absent" : "unsent", ...about };
  }

  /** The names that the client asks for or was told of. */
  names(): Iterable<string> {
    return new Set([
      ...this.#wanted.names,
      ...this.#base?.resources.keys() ?? nothing,
      ...this.#held.keys(),
    ]);
  }

  #answer(request: StreamRequest): Answer | undefined {
    const response = this.#inFlight;
    if (!response) return undefined;
    this.#inFlight = undefined;
    // A refusal of a response that had nothing in it lasts until the next answer.
    this.#refused.delete("");
    if (!request.error) {
      this.#accepted = response.version;
      return { response, refusal: undefined };
    }
    const all = [...response.names, ...response.removed];
    const names = concerned(request.error.message, all);
    const refusal = {
      version: response.version,
      names,
      message: request.error.message,
    };
    // What a heartbeat renews the client has, whatever it says.
    if (response.isHeartbeat) return { response, refusal };
    for (const name of names.length > 0 ? names : [""]) {
      this.#refused.set(name, refusal);
      if (name === "") continue;
      const before = this.#before(name);
      if (before) this.#standing.set(name, before);
      else this.#neverAccepted.add(name);
    }
    if (!takesTheRest(refusal.message)) this.#sendApart(all, names);
    return { response, refusal };
  }

  /**
   * A client that refuses a part of a response may have taken nothing of it (Envoy does not, where a part breaks a rule):
   * the rest is sent again, by itself. Where a response has to hold everything, that has to wait.
   */
  #sendApart(names: readonly string[], refused: readonly string[]) {
    if (names.length === refused.length || !this.#canSendSome) return;
    const apart = new Set(refused);
    for (const name of names) {
      if (!apart.has(name) && this.#wanted.covers(name)) this.#force(name);
    }
  }

  /**
   * What was refused together is sent again when one of them is replaced: which of them was at fault is a guess, since a
   * refusal may quote what was sent, other names and all.
   */
  #sendTogether(view: View) {
    if (this.#refused.size < 2 || !this.#canSendSome) return;
    const replaced = new Set<Refusal>();
    for (const [name, refusal] of this.#refused) {
      const resource = view.resources.get(name);
      const held = this.#heldOf(name);
      const isSame = resource ? isHeld(held, resource) : !held;
      if (!isSame) replaced.add(refusal);
    }
    for (const [name, refusal] of this.#refused) {
      if (name !== "" && replaced.has(refusal)) this.#force(name);
    }
  }

  get #canSendSome(): boolean {
    return this.#protocol === "delta" || !isFullState(this.typeUrl);
  }

  #forceAwaited() {
    for (const name of this.#awaited) {
      if (!this.#wanted.names.has(name)) continue;
      this.#awaited.delete(name);
      this.#force(name);
    }
  }

  #force(name: string) {
    this.#forced.add(name);
    if (this.#dirty !== "all") this.#dirty.add(name);
    this.#mayLack = true;
  }

  /** Goes over to the new subscription. */
  #resubscribe(
    { before, added, dropped, repeated }: WantedChange,
    opening: boolean,
  ) {
    const { wildcard } = this.#wanted;
    if (before.wildcard && !wildcard) this.#leaveWildcard(before.names);
    for (const name of dropped) this.#forced.delete(name);
    for (const name of repeated) this.#force(name);
    if (wildcard) {
      if (!opening) added.forEach((name) => this.#force(name));
      // A client that no longer names what the wildcard gives it all the same has to be told where it stands.
      if (before.wildcard && this.#protocol === "delta") {
        dropped.forEach((name) => this.#force(name));
      }
    } else {
      this.#forget(opening ? nothing : added);
    }
    if (wildcard !== before.wildcard || this.#wanted.collections.size > 0) {
      this.#dirty = "all";
    } else if (this.#dirty !== "all") {
      for (const name of added) this.#dirty.add(name);
    }
    if (opening ? this.#wanted.asks : wildcard && !before.wildcard) {
      this.#mustAnswer = this.#protocol === "sotw" || this.#held.size === 0 ||
        !opening;
    }
    this.#mayLack = true;
  }

  /** What the wildcard gave is held by name from now on, where it is still asked for. */
  #leaveWildcard(namesBefore: ReadonlySet<string>) {
    const base = this.#base;
    this.#base = undefined;
    if (!base) return;
    for (const name of namesBefore) {
      // Of one that is yet to be sent, or found, the client was told nothing.
      if (this.#wanted.names.has(name) && !this.#forced.has(name)) {
        this.#hold(name, base.resources.get(name) ?? null);
      }
    }
    for (const glob of this.#wanted.collections) {
      for (const name of base.collection(glob)) {
        this.#hold(name, base.resources.get(name));
      }
    }
  }

  /** Drops from what is held by name all that is no longer asked for, and what is asked for anew. */
  #forget(added: readonly string[]) {
    for (const name of this.#held.keys()) {
      if (!this.#wanted.covers(name)) this.#hold(name, undefined);
    }
    for (const name of added) this.#hold(name, undefined);
    for (const name of this.#refused.keys()) {
      if (name !== "" && !this.#wanted.covers(name)) this.#unrefuse(name);
    }
  }

  /** Takes the version that a reconnecting client claims for what the client has, if it can mean but one thing. */
  #compareClaim(view: View) {
    const claimed = this.#claimed;
    this.#claimed = undefined;
    if (!claimed) return;
    const { version, wildcard, names, legacy } = claimed;
    if (wildcard) {
      // A caller's version may be what the client was sent when it asked for names.
      const isProof = !view.versionGiven || legacy || this.#trustsVersion;
      if (version !== view.version || !isProof) return;
      if (this.#wanted.wildcard) {
        this.#base = view;
        for (const name of names) {
          if (!view.resources.has(name)) this.#force(name);
        }
      }
    } else if (!view.versionGiven) {
      // The version of some names is that of just what there is of them; a caller's says nothing of what the client had.
      const all = new Set(names);
      for (const name of names) {
        for (const member of view.collection(name)) all.add(member);
      }
      // It may have asked for what does not exist only after it was sent the version.
      const known = [
        all,
        new Set([...all].filter((its) => view.resources.has(its))),
      ]
        .find((names) => version === versionOf(view, names));
      if (!known) return;
      this.#holdOf(view, known);
    } else {
      if (!this.#trustsVersion || version !== view.version) return;
      this.#holdOf(view, names);
      if (this.#wanted.collections.size > 0) {
        this.#holdOf(view, view.resources.keys());
      }
    }
    this.#mustAnswer = false;
    this.#accepted = version;
  }

  #holdOf(view: View, names: Iterable<string>) {
    for (const name of names) {
      if (this.#wanted.covers(name)) {
        this.#hold(name, view.resources.get(name) ?? null);
      }
    }
  }

  #heldOf(name: string): Held | undefined {
    return this.#base?.resources.get(name) ?? this.#held.get(name);
  }

  #lacks(name: string, resource: Resource): boolean {
    return this.#forced.has(name) || !isHeld(this.#heldOf(name), resource);
  }

  #isUndecided(view: View, name: string): boolean {
    return this.#onHold || view.isPending(name);
  }

  #isYetToBeFound(view: View, name: string): boolean {
    return this.#wanted.names.has(name) && view.isPending(name);
  }

  /** Whether a client is to be told that there is nothing by that name. */
  #isUnknown(view: View, name: string, held: Held | undefined): boolean {
    if (view.resources.has(name)) return false;
    if (held !== undefined && !this.#forced.has(name)) return false;
    return view.collection(name).size === 0;
  }

  #planWildcard(view: View, removals: boolean): Plan {
    const base = this.#base;
    if (base && this.#forced.size + this.#held.size === 0) {
      const lack = this.#responses.lack(view, base);
      const before = (name: string) => base.resources.get(name);
      this.#hasLeftovers = lack.removed.length > 0 && !removals;
      if (this.#hasLeftovers) {
        const kept = this.#responses.keeping(view, base);
        this.#base = kept.view;
        return { lack: kept.lack, unknown: nothing, whole: kept.view, before };
      }
      this.#base = view;
      lack.removed.forEach((name) => this.#unrefuse(name));
      return { lack, unknown: nothing, whole: view, before };
    }
    if (!base && this.#held.size === 0) return this.#planAll(view);

    const resources: Resource[] = [];
    const removed: string[] = [];
    const unknown: string[] = [];
    const undecided: string[] = [];
    const before = new Map<string, Held | undefined>();
    const leftovers = new Map<string, Held>();
    const names = base ? view.since(base) : view.resources.keys();
    // Of names that were asked for under a wildcard from the start, nothing was said yet.
    const unsaid = base ? nothing : this.#wanted.names;
    for (
      const name of new Set([
        ...names,
        ...unsaid,
        ...this.#forced,
        ...this.#held.keys(),
      ])
    ) {
      const resource = view.resources.get(name);
      const held = this.#heldOf(name);
      before.set(name, held);
      if (resource) {
        if (this.#lacks(name, resource)) resources.push(resource);
      } else if (held) {
        if (!removals || this.#isYetToBeFound(view, name)) {
          leftovers.set(name, held);
        } else {
          removed.push(name);
          this.#unrefuse(name);
        }
      } else if (this.#isUnknown(view, name, held)) {
        (this.#isUndecided(view, name) ? undecided : unknown).push(name);
      }
    }
    this.#base = view;
    this.#forced.clear();
    undecided.forEach((name) => this.#forced.add(name));
    this.#held.clear();
    this.#heldSum = 0n;
    for (const [name, held] of leftovers) this.#held.set(name, held);
    this.#hasLeftovers = leftovers.size > 0;
    return {
      lack: { resources, removed },
      unknown,
      before: (name) =>
        before.has(name) ? before.get(name) : view.resources.get(name),
    };
  }

  #planAll(view: View): Plan {
    const unknown: string[] = [];
    this.#forced.clear();
    for (const name of this.#wanted.names) {
      if (!this.#isUnknown(view, name, undefined)) continue;
      if (this.#isUndecided(view, name)) this.#forced.add(name);
      else unknown.push(name);
    }
    this.#base = view;
    const lack = unknown.length === 0
      ? this.#responses.all(view)
      : { resources: [...view.resources.values()], removed: [] };
    return { lack, unknown, whole: view, before: () => undefined };
  }

  #planNames(view: View, removals: boolean): Plan {
    const resources: Resource[] = [];
    const removed: string[] = [];
    const unknown: string[] = [];
    const before = new Map<string, Held | undefined>();
    const later = new Set<string>();
    let undecided = false;
    this.#hasLeftovers = false;
    const names = this.#dirty === "all" ? this.#allNames(view) : this.#dirty;
    for (const name of names) {
      if (!this.#wanted.covers(name)) continue;
      const resource = view.resources.get(name);
      const held = this.#held.get(name);
      before.set(name, held);
      if (resource) {
        if (this.#lacks(name, resource)) resources.push(resource);
      } else if (held) {
        // What is yet to be found may be there after all.
        if (!removals || this.#isYetToBeFound(view, name)) {
          this.#hasLeftovers = true;
          later.add(name);
          continue;
        }
        removed.push(name);
        this.#unrefuse(name);
      } else if (this.#wanted.collections.has(name)) {
        if (this.#isUnknown(view, name, held)) unknown.push(name);
      } else if (this.#isUndecided(view, name)) {
        undecided = true;
        later.add(name);
        continue;
      } else if (this.#isUnknown(view, name, held)) {
        unknown.push(name);
      }
      this.#hold(name, resource ?? null);
    }
    this.#forced.clear();
    this.#dirty = later;
    return {
      lack: { resources, removed },
      unknown,
      undecided,
      before: (name) =>
        before.has(name) ? before.get(name) : view.resources.get(name),
    };
  }

  /** All names whose state may matter to a client that asks for names. */
  *#allNames(view: View): Iterable<string> {
    yield* this.#wanted.names;
    if (this.#wanted.collections.size === 0) return;
    const members = new Set<string>();
    for (const glob of this.#wanted.collections) {
      for (const name of view.collection(glob)) members.add(name);
    }
    for (const name of this.#held.keys()) members.add(name);
    for (const name of members) {
      if (!this.#wanted.names.has(name)) yield name;
    }
  }

  #unrefuse(name: string) {
    if (this.#refused.size === 0) return;
    this.#neverAccepted.delete(name);
    this.#standing.delete(name);
    if (this.#refused.delete(name)) this.#reported = undefined;
  }

  #hold(name: string, held: Held | undefined) {
    if (this.#protocol === "sotw") {
      this.#heldSum += fingerprintOf(name, held) -
        fingerprintOf(name, this.#held.get(name));
    }
    if (held === undefined) this.#held.delete(name);
    else this.#held.set(name, held);
  }

  #respond(
    view: View,
    plan: Plan,
    mustAnswer: boolean,
  ): Response | undefined {
    return this.#protocol === "delta"
      ? this.#respondDelta(view, plan, mustAnswer)
      : this.#respondSotw(view, plan, mustAnswer);
  }

  #respondDelta(
    view: View,
    { lack, unknown }: Plan,
    mustAnswer: boolean,
  ): Response | undefined {
    const { typeUrl } = this;
    // Envoy's VHDS waits for a resource of each name that it asked for: one without a body, where there is none.
    const missing = typeUrl === TypeUrl.VirtualHost ? unknown : nothing;
    const content = unknown.length > missing.length
      ? { ...lack, removed: [...lack.removed, ...unknown] }
      : lack;
    const says = content.resources.length + content.removed.length +
      missing.length;
    if (says === 0 && !mustAnswer) return undefined;
    return this.#responses.part(
      { typeUrl, view, version: view.version, lack: content, missing },
      this.#lastSerial,
    );
  }

  #respondSotw(
    view: View,
    { lack, unknown, whole }: Plan,
    mustAnswer: boolean,
  ): Response | undefined {
    const full = isFullState(this.typeUrl);
    // A response that holds all says that something is gone by leaving it out, any other by an error.
    const gone = full
      ? nothing
      : lack.removed.filter((name) => this.#wanted.names.has(name));
    const missing = gone.length > 0 ? [...unknown, ...gone] : unknown;
    const says = lack.resources.length + missing.length +
      (full ? lack.removed.length : 0);
    if (says === 0 && !mustAnswer) return undefined;
    const { typeUrl } = this;
    if (whole && full && missing.length === 0) {
      return this.#responses.whole(typeUrl, whole, this.#lastSerial);
    }
    const content = {
      resources: full ? this.#everything(view) : lack.resources,
      removed: nothing,
    };
    const version = this.#version(whole ?? view, content.resources);
    return this.#responses.part(
      { typeUrl, view, version, lack: content, missing },
      this.#lastSerial,
    );
  }

  /** All that the client is to have: what it wants of the view, and what is yet to be removed. */
  #everything(view: View): Resource[] {
    const resources = this.#wanted.wildcard ? [...view.resources.values()] : [];
    for (const [name, held] of this.#held) {
      if (!(held instanceof Resource)) continue;
      resources.push(view.resources.get(name) ?? held);
    }
    return resources;
  }

  /** A response that renews what has a TTL; with all that the client has, where one that holds less is taken for less. */
  #refresh(view: View): Response | undefined {
    this.#heartbeatDue = false;
    const expiring = [...this.#expiring(view)];
    if (expiring.length === 0) return undefined;
    const isSotw = this.#protocol === "sotw";
    // Envoy drops all clusters and listeners that are not in a state-of-the-world heartbeat.
    const resources = isSotw && isFullState(this.typeUrl)
      ? this.#standingOf(this.#allOf(this.#base ?? view))
      : expiring;
    // With another version than it has, Envoy takes a heartbeat for news.
    const version = isSotw ? this.#accepted : view.version;
    return this.#responses.heartbeat(
      { typeUrl: this.typeUrl, view, version, resources },
      this.#lastSerial,
    );
  }

  /** What the client has that has a TTL. */
  *#expiring(view: View): Iterable<Resource> {
    const has = ({ name }: Resource) =>
      this.#wanted.covers(name) && !this.#refused.has(name);
    if (this.#base) yield* this.#base.expiring.filter(has);
    else if (view.expiring.length === 0 && !this.#hasLeftovers) return;
    for (const [name, held] of this.#held) {
      const resource = held instanceof Resource
        ? held
        : held === null
        ? undefined
        : view.resources.get(name);
      if (resource?.ttl !== undefined && has(resource)) yield resource;
    }
  }

  /** As `#everything`; the same object for all streams that have just the view. */
  #allOf(view: View): readonly Resource[] {
    return this.#wanted.wildcard && this.#held.size === 0
      ? this.#responses.all(view).resources
      : this.#everything(view);
  }

  /** What the client has where it was sent these. */
  #standingOf(resources: readonly Resource[]): readonly Resource[] {
    if (this.#refused.size === 0) return resources;
    return resources.flatMap((resource) => {
      if (!this.#refused.has(resource.name)) return [resource];
      const standing = this.#standing.get(resource.name);
      return standing instanceof Resource ? [standing] : [];
    });
  }

  /** The version of what the client has after it accepts a response with these resources. */
  #version(view: View, sent: readonly Resource[]): string {
    // That of a whole view takes all of it to find out.
    let version = this.#wanted.wildcard || view.versionGiven
      ? view.version
      : hex64(this.#heldSum);
    // It has more than the view, and so not what the view's version stands for.
    if (this.#wanted.wildcard && this.#held.size > 0) version += "+kept";
    // Nor is that what it has while it refuses some of it.
    return this.#refusesBut(sent) ? `${version}+refused` : version;
  }

  #refusesBut(sent: readonly Resource[]): boolean {
    if (this.#protocol === "delta" || this.#refused.size === 0) return false;
    const names = new Set(sent.map(({ name }) => name));
    return [...this.#refused.keys()].some((name) =>
      name !== "" && !names.has(name)
    );
  }
}

/** The version of what there is by some names. */
function versionOf(view: View, names: Iterable<string>): string {
  let sum = 0n;
  for (const name of names) {
    sum += fingerprintOf(name, view.resources.get(name) ?? null);
  }
  return hex64(sum);
}

/** What a name adds to the version of what a client asks for by names: that there is none is something to know, too. */
function fingerprintOf(name: string, held: Held | undefined): bigint {
  if (held instanceof Resource) return held.fingerprint;
  return held === null ? hashText(name) : 0n;
}

function isHeld(held: Held | undefined, resource: Resource): boolean {
  if (held === undefined || held === null) return false;
  return typeof held === "string"
    ? held === resource.version
    : sameContent(held, resource);
}
