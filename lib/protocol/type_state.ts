import type {
  Refusal,
  ResourceState,
  Sequencing,
  Subscription,
  View,
} from "../cache/mod.ts";
import { Resource, traitsOf } from "../resource/mod.ts";
import { compose, composeHeartbeat, type ComposeOptions } from "./_compose.ts";
import { isHeld } from "./_holdings.ts";
import { Ledger, type LedgerOptions } from "./_ledger.ts";
import { appliesValidResources, mentionedNames } from "./_nack.ts";
import type { Before } from "./_plan.ts";
import type { Names } from "./_referred.ts";
import { Rejections } from "./_rejections.ts";
import { type Restraint, Withheld } from "./_restraint.ts";
import type { WantedChange } from "./_wanted.ts";
import type { StreamRequest } from "./request.ts";
import type { Protocol, Response, Responses } from "./response.ts";

/** What a request turned out to be. */
export type Verdict =
  | { kind: "stale" }
  | {
    kind: "request";
    /** What changed of the subscription; undefined if nothing did. */
    change: WantedChange | undefined;
    answer: Answer | undefined;
  };

/** A client's answer to a response. */
export interface Answer {
  readonly response: Response;
  /** The set that the response was made of. */
  readonly view: View;
  readonly refusal: Refusal | undefined;
}

/** What a type is on a stream. */
export interface TypeOptions extends LedgerOptions {
  readonly typeUrl: string;
}

/** A response that was sent. */
export interface Sent {
  readonly response: Response;
  /** The set that it was made of. */
  readonly view: View;
  /** Resources that changed for the client. */
  readonly changed: readonly Resource[];
  /** Names that were removed from the client. */
  readonly removed: readonly string[];
  /** What the client had of a name before. */
  readonly before: Before;
  /** Names of which it was not certain what the client had before. */
  readonly doubted: readonly string[];
}

const nothing: readonly string[] = [];
const unknown: Before = () => undefined;
const nothingWithheld = new Withheld();

/**
 * One type on one stream: the response in flight, and what the client's answers mean for what it is sent next. State of the
 * world and delta differ in how a request changes the subscription and in what a response holds; all else is decided once.
 */
export class TypeState {
  readonly typeUrl: string;
  /** How changes of the type are ordered with those of others; undefined if they are not. */
  sequencing: Sequencing | undefined;
  /** Sets that the cache served before the newest, newest first. */
  history: Iterable<View> = [];
  readonly #protocol: Protocol;
  readonly #responses: Responses;
  readonly #ledger: Ledger;
  readonly #trustsVersion: boolean;
  /** What the client may have applied of responses that it NACKed. */
  #applied: Map<string, Resource> | undefined;
  /** What the client NACKed; most never NACK anything. */
  #rejections: Rejections | undefined;
  #view: View | undefined;
  #heartbeatDue = false;
  #inFlight: Sent | undefined;
  #withheld = nothingWithheld;
  #lastSerial = 0;
  #revision = 0;
  #reported: View | undefined;
  #reportedDrained = true;

  constructor(options: TypeOptions) {
    this.typeUrl = options.typeUrl;
    this.#protocol = options.protocol;
    this.#responses = options.responses;
    this.#trustsVersion = options.trustsVersion;
    this.#ledger = new Ledger(options);
  }

  /** What the client wants; always as of now. */
  get subscription(): Subscription {
    return this.#ledger.wanted;
  }

  /** The newest set; undefined if there is none. */
  get view(): View | undefined {
    return this.#view;
  }

  /** The response that the client has yet to answer; undefined if there is none. */
  get inFlight(): Sent | undefined {
    return this.#inFlight;
  }

  /** Whether make before break applies to the type. */
  get makesBeforeBreak(): boolean {
    return this.sequencing?.makeBeforeBreak ?? false;
  }

  /** What the last plan left out, and why. */
  get withheld(): Withheld {
    return this.#withheld;
  }

  /**
   * Whether the client is about to have more of the newest set: it has yet to answer, or to be sent something that it will
   * be sent without a new set.
   */
  get isInProgress(): boolean {
    if (!this.#view) return false;
    return this.#awaitsAnswer || this.#ledger.due.mayLack ||
      this.#withheld.passes;
  }

  /** Whether something may be sent if the restraint allows it. */
  get mayHaveNext(): boolean {
    return this.#view !== undefined && !this.#awaitsAnswer &&
      (this.#ledger.due.mayLack || this.#heartbeatDue ||
        this.#withheld.updates.size + this.#withheld.removals.size > 0);
  }

  /** Changes whenever what the client has does, be it that it is not told. */
  get revision(): number {
    return this.#revision;
  }

  /** Whether a removal waits. */
  get hasRemovals(): boolean {
    return this.#withheld.removals.size > 0;
  }

  /** True if the client came with all that there is for it, and can be told so by a response that has nothing in it. */
  get mayAnswerEmpty(): boolean {
    return this.#ledger.cameWith && !this.#trustsVersion &&
      this.#view !== undefined && !this.isInProgress && !this.hasRemovals &&
      this.#canSendSome;
  }

  /** The oldest NACK that stands. */
  get refusal(): Refusal | undefined {
    return this.#rejections?.first;
  }

  /** Whether the client said what it had when it opened the subscription. */
  get cameWith(): boolean {
    return this.#ledger.cameWith;
  }

  /** Whether the client NACKed the newest content of a name, and has no older version. */
  nackedWithoutOlder(resource: Resource): Refusal | undefined {
    if (!this.#rejections?.rejects(resource)) return undefined;
    if (this.#ledger.holdings.of(resource.name)) return undefined;
    return this.#rejections.of(resource.name);
  }

  /** Whether the client has acknowledged a resource of the newest set, or an older version where it NACKed that. */
  isAcked(resource: Resource): boolean {
    const { name } = resource;
    if (this.#rejections?.rejects(resource)) {
      return this.#ledger.holdings.of(name) != null;
    }
    if (!isHeld(this.#ledger.holdings.of(name), resource)) return false;
    const sent = this.#inFlight;
    return !sent || !this.#responses.namesOf(sent.changed).has(name);
  }

  /** Names of what the client has yet to answer, or to be sent. */
  get outstanding(): readonly string[] {
    const sent = this.#inFlight;
    return sent
      ? [...changedNames(sent), ...sent.removed]
      : [...this.lacking()].map(({ name }) => name);
  }

  /** Whether the client NACKed this content. */
  rejects(resource: Resource): boolean {
    return this.#rejections?.rejects(resource) ?? false;
  }

  /** How many names the client would have asked for after a request; where that is at most `enough`, it may be fewer. */
  sizeAfter(wanted: StreamRequest["wanted"], enough: number): number {
    return this.#ledger.wanted.sizeAfter(wanted, enough);
  }

  /**
   * Takes a request of the client's. `referred` are names that it needs again, whatever it says that it has; with
   * `ignoresClaim`, what it says that it has proves nothing.
   */
  request(
    request: StreamRequest,
    referred: Names | undefined,
    ignoresClaim: boolean,
  ): Verdict {
    const { nonce, wanted } = request;
    const current = nonce !== "" && nonce === String(this.#lastSerial);
    const stale = nonce !== "" && !current && this.#lastSerial > 0;
    // A stale state-of-the-world request is superseded by the one that answers the newest response; the changes in a
    // delta request are said only once.
    if (stale && wanted.kind === "all") {
      if (!this.#givesUpNames(wanted.names)) {
        this.#ledger.passOver(wanted.names);
        return { kind: "stale" };
      }
      // Envoy answers nothing of a type that it no longer watches.
      this.#inFlight = undefined;
    }
    const answer = current ? this.#answer(request) : undefined;
    const change = this.#ledger.take(wanted, referred, ignoresClaim);
    if (change) this.#forgetRejections(change);
    this.#dropRejectionsIfEmpty();
    return { kind: "request", change, answer };
  }

  /** Takes what the cache has now; `names` are those that may have changed, undefined if that is not known. */
  offer(view: View | undefined, names: ReadonlySet<string> | undefined) {
    this.#view = view;
    this.#reported = undefined;
    if (!view) return;
    this.#ledger.update(names);
    this.#forgetReplaced(view);
  }

  /** Resources that have a TTL are to be refreshed. */
  heartbeat() {
    this.#heartbeatDue = true;
  }

  /** Has the next response sent though the client lacks nothing. */
  answer() {
    const { due } = this.#ledger;
    due.mustAnswer = true;
    due.mayLack = true;
  }

  /** Marks names to be sent again, of those that the client was sent or says it has. */
  resend(names: Iterable<string>) {
    this.#ledger.resend(names);
  }

  /** Notes that the client needs to be told of a name, which was withheld or substituted. */
  note(name: string) {
    const { due } = this.#ledger;
    due.note(name);
    due.mayLack = true;
  }

  /** The resources of the newest set that the client lacks, be it that they are withheld. */
  lacking(): Iterable<Resource> {
    return this.#view ? this.#ledger.lacking(this.#view) : [];
  }

  /** Names that the client has, and the newest set no longer. */
  *leftovers(): Iterable<string> {
    const view = this.#view;
    if (!view) return;
    for (const [name] of this.#ledger.outdated(view)) {
      if (!view.resources.has(name)) yield name;
    }
  }

  /** The resource that the client has of a name, as far as that is known. */
  held(name: string): Resource | undefined {
    const held = this.#ledger.holdings.of(name);
    return held instanceof Resource ? held : undefined;
  }

  /** Whether the client has some version of a resource that it acknowledged, or says it has. */
  has(name: string): boolean {
    const held = this.#ledger.holdings.of(name);
    if (!held) return false;
    const before = this.#inFlight?.response.speaksOf(name)
      ? this.#inFlight.before(name)
      : held;
    return before !== undefined && before !== null;
  }

  /**
   * What the client may use that the newest set does not have, or has another version of. A string stands for a resource
   * whose content is not known.
   */
  *inUse(): Iterable<Resource | string> {
    const view = this.#view;
    if (view) {
      for (const [, held] of this.#ledger.outdated(view)) {
        yield held!;
      }
    }
    yield* this.#applied?.values() ?? [];
    const sent = this.#inFlight;
    if (!sent || this.#isSilent(sent)) return;
    for (const name of [...changedNames(sent), ...sent.removed]) {
      const before = sent.before(name);
      if (before) yield before;
    }
  }

  /**
   * The next response, if the client lacks something that the restraint lets through, and has answered the last.
   */
  next(restraint: Restraint): Sent | undefined {
    const view = this.#view;
    if (!view || this.#awaitsAnswer) return undefined;
    const { due } = this.#ledger;
    this.#ledger.compareClaim(view, this.history);
    for (;;) {
      const isolation = this.#rejections?.isolation;
      const withheld = this.#withheld;
      if (
        due.mayLack || withheld.updates.size + withheld.removals.size > 0
      ) {
        const sent = this.#send(view, this.#restrain(restraint));
        if (sent) return sent;
      }
      // Nothing that was NACKed together and is to be sent now is still lacking.
      const isWaiting = this.#withheld.updates.has("names_not_requested") ||
        this.#withheld.updates.has("dependency_unacked");
      if (!isolation || isWaiting) break;
      this.#rejections!.skip();
      due.mayLack = true;
    }
    this.#dropRejectionsIfEmpty();
    if (!this.#heartbeatDue) return undefined;
    this.#heartbeatDue = false;
    const response = composeHeartbeat(this.#about(view));
    if (!response) return undefined;
    return this.#depart({
      response,
      view,
      changed: [],
      removed: nothing,
      before: unknown,
      doubted: nothing,
    });
  }

  /**
   * The set that is in force at the client, and whether removals are left that wait for time to pass; undefined if that was
   * said already, or if the set is not in force yet.
   */
  settlement(): { view: View; drained: boolean } | undefined {
    const view = this.#view;
    if (!view || this.isInProgress) return undefined;
    if (this.#withheld.removalPasses) return undefined;
    const drained = !this.#withheld.removals.has("draining") &&
      !this.#withheld.removals.has("still_requested");
    if (this.#reported === view && this.#reportedDrained === drained) {
      return undefined;
    }
    this.#reported = view;
    this.#reportedDrained = drained;
    return { view, drained };
  }

  /** Where the client stands with the resource of a name. */
  inspect(name: string): ResourceState {
    const held = this.#ledger.holdings.of(name);
    const newestResource = this.#view?.resources.get(name);
    const refusal = this.#rejections?.of(name);
    const resource = held instanceof Resource ? held : undefined;
    const version = typeof held === "string" ? held : resource?.version;
    const newest = newestResource?.version;
    const about = { version, newest, resource, refusal };
    if (!this.#ledger.wanted.covers(name)) {
      return { state: "unsubscribed", ...about };
    }
    if (this.#inFlight?.response.speaksOf(name)) {
      return { state: "sent", ...about };
    }
    if (refusal) {
      const nacked = this.#rejections!.contentOf(name);
      return {
        ...about,
        state: "refused",
        version: nacked?.version,
        resource: nacked,
        standing: resource,
      };
    }
    if (held) return { state: "accepted", ...about };
    return { state: held === null ? "absent" : "unsent", ...about };
  }

  /** The names that the client asks for or was told of. */
  names(): Iterable<string> {
    const nacked = this.#rejections?.names();
    return nacked
      ? new Set([...this.#ledger.names(), ...nacked])
      : this.#ledger.names();
  }

  /** Whether the client has yet to answer a response that it will answer. */
  get #awaitsAnswer(): boolean {
    return this.#inFlight !== undefined && !this.#isSilent(this.#inFlight);
  }

  /** Whether Envoy may pass over a response without an answer, since it watches nothing of the type any longer. */
  #isSilent({ response }: Sent): boolean {
    return this.#protocol === "sotw" && response.resources.length === 0 &&
      traitsOf(this.typeUrl).composition !== "full";
  }

  /** Whether a state-of-the-world request that names nothing unsubscribes from all that was named. */
  #givesUpNames(names: readonly string[]): boolean {
    const { wanted } = this.#ledger;
    return names.length === 0 && !wanted.wildcard && wanted.names.size > 0;
  }

  /** Adds what the client NACKed to what must wait. */
  #restrain(restraint: Restraint): Restraint {
    const rejections = this.#rejections;
    if (!rejections || rejections.isEmpty) return restraint;
    return {
      ...restraint,
      update: (resource) =>
        rejections.rejects(resource)
          ? "nacked"
          : rejections.isolates(resource.name)
          ? "isolating"
          : restraint.update?.(resource),
      removal: (name) =>
        rejections.rejectsRemoval(name)
          ? "nacked"
          : rejections.isolates(name)
          ? "isolating"
          : restraint.removal?.(name),
    };
  }

  #send(view: View, restraint: Restraint): Sent | undefined {
    const { due } = this.#ledger;
    const listsAll = this.#protocol === "sotw" &&
      traitsOf(this.typeUrl).composition === "full";
    const { doubted } = due;
    const plan = this.#ledger.plan(view, restraint, listsAll);
    // What is yet to be found is an answer soon enough.
    const mustAnswer = due.mustAnswer && !plan.undecided &&
      !plan.withheld.passes;
    this.#withheld = plan.withheld;
    this.#revision += plan.lack.resources.length + plan.lack.removed.length;
    due.mayLack = false;
    const response = compose(this.#about(view), plan, mustAnswer);
    if (response) due.mustAnswer = false;
    else if (!plan.undecided && !plan.withheld.passes) due.mustAnswer = false;
    if (!response) return undefined;
    if (due.isAwaiting) this.#noteSaid(response);
    const { lack: { resources: changed, removed }, before } = plan;
    return this.#depart({ response, view, changed, removed, before, doubted });
  }

  #noteSaid({ names, removed, missing }: Response) {
    for (const said of [names, removed, missing]) {
      for (const name of said) this.#ledger.due.said(name);
    }
  }

  #about(view: View): ComposeOptions {
    return {
      typeUrl: this.typeUrl,
      view,
      protocol: this.#protocol,
      responses: this.#responses,
      ledger: this.#ledger,
      namesVersion: this.#trustsVersion,
      above: this.#lastSerial,
    };
  }

  #depart(sent: Sent): Sent {
    this.#inFlight = sent;
    this.#lastSerial = sent.response.serial;
    this.#reported = undefined;
    return sent;
  }

  #answer({ error }: StreamRequest): Answer | undefined {
    const sent = this.#inFlight;
    if (!sent) return undefined;
    const { response, view } = sent;
    this.#inFlight = undefined;
    this.#reported = undefined;
    if (!error) {
      this.#ledger.holdings.accepted = response.version;
      for (const name of this.#applied?.keys() ?? nothing) {
        if (!this.#ledger.due.isDoubted(name)) this.#applied!.delete(name);
      }
      if (this.#rejections && !response.isHeartbeat) {
        const { removed, missing } = response;
        this.#rejections.acked([
          ...changedNames(sent),
          ...sent.removed,
          ...removed,
          ...missing,
        ]);
        this.#ledger.due.mayLack ||= this.#rejections.isolation !== undefined;
      }
      return { response, view, refusal: undefined };
    }
    const refusal = this.#nack(sent, error.message);
    if (this.#view && this.#view !== view) this.#forgetReplaced(this.#view);
    return { response, view, refusal };
  }

  /**
   * A client that NACKs a response keeps what it had, but for gRPC's clients, which apply what is valid. So that the rest
   * reaches it, that is sent again without the culprit, which is looked for if the NACK does not name it.
   */
  #nack(sent: Sent, message: string): Refusal {
    const { response: { version, names, removed, isHeartbeat } } = sent;
    const mentioned = mentionedNames(message, [...names, ...removed]);
    const changed = [...changedNames(sent), ...sent.removed];
    const isChanged = new Set(changed);
    const culprits = mentioned.filter((name) => isChanged.has(name));
    const isAttributed = culprits.length > 0;
    const refusal = {
      version,
      names: isAttributed
        ? culprits
        : mentioned.length > 0
        ? mentioned
        : [...names, ...removed],
      message,
    };
    // What a heartbeat renews the client has, whatever it says.
    if (isHeartbeat) return refusal;
    const resources = new Map(sent.changed.map((its) => [its.name, its]));
    this.#rejections ??= new Rejections();
    this.#rejections.add({
      nack: refusal,
      names: isAttributed ? culprits : changed,
      isAttributed,
      sent: (name) => resources.get(name),
    });
    if (isAttributed && appliesValidResources(message)) {
      this.#ledger.revert(culprits, sent.before);
      return refusal;
    }
    this.#ledger.revert(changed, sent.before);
    // An Envoy may have applied the rest all the same.
    const isCulprit = new Set(changed.length === 1 ? changed : culprits);
    for (const name of changed) {
      const isInDoubt = !isCulprit.has(name) || sent.doubted.includes(name);
      if (!isInDoubt) continue;
      this.#ledger.due.doubt(name);
      const resource = resources.get(name);
      if (resource) (this.#applied ??= new Map()).set(name, resource);
    }
    return refusal;
  }

  /** Whether a response may hold some of what the client wants. */
  get #canSendSome(): boolean {
    return this.#protocol === "delta" ||
      traitsOf(this.typeUrl).composition === "partial";
  }

  /** What a client requests anew, or no longer, it may have NACKed before. */
  #forgetRejections({ added, dropped, repeated, before }: WantedChange) {
    const rejections = this.#rejections;
    if (!rejections) return;
    this.#reported = undefined;
    if (!this.#ledger.wanted.asks) {
      this.#rejections = undefined;
      return;
    }
    for (const names of [added, repeated]) {
      for (const name of names) rejections.delete(name);
    }
    if (dropped.length === 0 && !before.wildcard) return;
    for (const name of [...rejections.names()]) {
      if (!this.#ledger.wanted.covers(name)) rejections.delete(name);
    }
  }

  /** What the newest set has something else of than the client NACKed may be sent. */
  #forgetReplaced(view: View) {
    if (!this.#rejections) return;
    for (const name of this.#rejections.replace(view)) {
      this.#ledger.due.note(name);
      this.#ledger.due.mayLack = true;
    }
    this.#dropRejectionsIfEmpty();
  }

  #dropRejectionsIfEmpty() {
    if (this.#rejections?.isEmpty) this.#rejections = undefined;
  }
}

function changedNames({ changed }: Sent): string[] {
  return changed.map(({ name }) => name);
}
