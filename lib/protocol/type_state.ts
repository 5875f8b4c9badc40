import type {
  Refusal,
  ResourceState,
  Subscription,
  View,
} from "../cache/mod.ts";
import { Resource } from "../resource/mod.ts";
import { compose, composeHeartbeat, type ComposeOptions } from "./_compose.ts";
import type { Expected } from "./_expected.ts";
import type { Held } from "./_holdings.ts";
import { Ledger, type LedgerOptions } from "./_ledger.ts";
import type { Names } from "./_referred.ts";
import { concerned, takesTheRest } from "./_refusal.ts";
import { type Before, Refusals } from "./_refusals.ts";
import { isFullState } from "./order.ts";
import type { StreamRequest } from "./request.ts";
import type { Protocol, Response, Responses } from "./response.ts";

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

/** What a type is on a stream. */
export interface TypeOptions extends LedgerOptions {
  readonly typeUrl: string;
}

const nothing: readonly string[] = [];

/**
 * One type on one stream: which response is under way, and what the client's answers mean for what it is to be sent. State
 * of the world and delta differ in how a request changes the subscription and in what a response holds; all else is
 * decided once.
 */
export class TypeState {
  readonly typeUrl: string;
  /** Whether it takes part in make before break. */
  makeBeforeBreak = false;
  /** Where what is to be removed stands with the requests that are under way to it. */
  drain: "none" | "needed" | "under way" | "done" = "none";
  /** What the client is about to ask for; undefined if that was never looked for. */
  expected: Expected | undefined;
  readonly #protocol: Protocol;
  readonly #responses: Responses;
  readonly #ledger: Ledger;
  /** What the client refused; most never refuse anything. */
  #refusals: Refusals | undefined;
  readonly #trustsVersion: boolean;
  #view: View | undefined;
  /** Whether the cache waits for something before it says more, so that nobody may be told that a name does not exist. */
  #onHold = false;
  #heartbeatDue = false;
  #inFlight: Response | undefined;
  /** What the client had of a name before the response under way. */
  #before: Before = unknown;
  #lastSerial = 0;
  #reported: View | undefined;

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

  /** True if the client has answered and has all that there is for it, but for removals and what it refused. */
  get isQuiet(): boolean {
    return !this.#view ||
      (!this.#inFlight && !this.#onHold && !this.#ledger.due.mayLack);
  }

  /** True if the client came with all that there is for it, and can be told so by a response that has nothing in it. */
  get mayAnswerEmpty(): boolean {
    const { cameWith, hasLeftovers } = this.#ledger;
    return cameWith && !this.#trustsVersion && this.#view !== undefined &&
      this.isQuiet && !hasLeftovers && this.#canSendSome;
  }

  /** Something that the client refused. */
  get refusal(): Refusal | undefined {
    return this.#refusals?.first;
  }

  /** Whether the client refused what it was sent of a name, and has no older version. */
  isWithout(name: string): boolean {
    return this.#refusals?.isWithout(name) ?? false;
  }

  /** True if something is yet to be removed from the client. */
  get hasLeftovers(): boolean {
    return this.#ledger.hasLeftovers;
  }

  /** How many names the client would have asked for after a request; where that is at most `enough`, it may be fewer. */
  sizeAfter(wanted: StreamRequest["wanted"], enough: number): number {
    return this.#ledger.wanted.sizeAfter(wanted, enough);
  }

  /** Takes a request of the client's. `referred` are names that it needs again, whatever it says that it has. */
  request(request: StreamRequest, referred?: Names): Verdict {
    const { nonce, wanted } = request;
    const current = nonce !== "" && nonce === String(this.#lastSerial);
    const stale = nonce !== "" && !current && this.#lastSerial > 0;
    // A stale state-of-the-world request is superseded by the one that answers the newest response; the changes in a
    // delta request are said only once.
    if (stale && wanted.kind === "all") return { kind: "stale" };
    const answer = current ? this.#answer(request) : undefined;
    const subscriptionChanged = this.#ledger.take(wanted, referred);
    if (subscriptionChanged && this.#refusals) {
      for (const name of this.#refusals.names()) {
        if (name !== "" && !this.#ledger.wanted.covers(name)) {
          this.#unrefuse(name);
        }
      }
    }
    return { kind: "request", subscriptionChanged, answer };
  }

  /** Takes what the cache has now; `names` are those that may have changed, undefined if that is not known. */
  offer(view: View | undefined, names: ReadonlySet<string> | undefined) {
    const { due, holdings } = this.#ledger;
    // What was asked for during a hold is to be answered now.
    if (this.#onHold) due.mayLack = true;
    this.#onHold = false;
    this.#view = view;
    this.#reported = undefined;
    if (!view) return;
    this.#ledger.update(view, names);
    if (this.#refusals && this.#refusals.size > 1 && this.#canSendSome) {
      const replaced = this.#refusals.replacedIn(view, holdings);
      for (const name of replaced) due.force(name);
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
    const { due } = this.#ledger;
    due.mustAnswer = true;
    due.mayLack = true;
  }

  /** Marks names to be sent again, of those that the client was sent or says it has. */
  resend(names: Iterable<string>) {
    this.#ledger.resend(names);
  }

  /** The resources that the next response would have for the client. */
  lacking(): Iterable<Resource> {
    return this.#view ? this.#ledger.lacking(this.#view) : [];
  }

  /** Names of what the client has yet to take: those in the response that it has not answered, or in the next one. */
  get outstanding(): readonly string[] {
    const response = this.#inFlight;
    if (response) return [...response.names, ...response.removed];
    return this.#onHold ? nothing : [...this.lacking()].map(({ name }) => name);
  }

  /** Names that the client has, and the view no longer. */
  leftovers(): Iterable<string> {
    return this.#view ? this.#ledger.leftovers(this.#view) : nothing;
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
    const { due, hasLeftovers } = this.#ledger;
    if (due.mayLack || (removals && hasLeftovers)) {
      const sent = this.#send(view, removals);
      if (sent) return sent;
    }
    if (!this.#heartbeatDue) return undefined;
    this.#heartbeatDue = false;
    const response = composeHeartbeat(this.#about(view));
    if (!response) return undefined;
    this.#depart(response);
    return { response, view, changed: [] };
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
    if (this.#ledger.due.mayLack && !blocked) return undefined;
    return this.#reported = view;
  }

  /** Where the client stands with the resource of a name. */
  inspect(name: string): ResourceState {
    const held = this.#ledger.holdings.of(name);
    const refusal = this.#refusals?.of(name);
    const resource = held instanceof Resource ? held : undefined;
    const version = typeof held === "string" ? held : resource?.version;
    const newest = this.#view?.resources.get(name)?.version;
    const about = { version, newest, resource, refusal, waitsFor: nothing };
    if (!this.#ledger.wanted.covers(name)) {
      return { state: "unsubscribed", ...about };
    }
    if (refusal) return { state: "refused", ...about };
    if (this.#inFlight?.speaksOf(name)) return { state: "sent", ...about };
    if (held) return { state: "accepted", ...about };
    return { state: held === null ? "absent" : "unsent", ...about };
  }

  /** The names that the client asks for or was told of. */
  names(): Iterable<string> {
    return this.#ledger.names();
  }

  #send(view: View, removals: boolean) {
    const { due } = this.#ledger;
    const plan = this.#ledger.plan(view, removals, this.#onHold);
    const before = this.#refusals?.before(plan.before) ?? plan.before;
    for (const name of plan.lack.removed) this.#unrefuse(name);
    // What is yet to be found is an answer soon enough.
    const mustAnswer = due.mustAnswer && !plan.undecided;
    const response = compose(this.#about(view), plan, mustAnswer);
    if (response || !plan.undecided) due.mustAnswer = false;
    due.mayLack = response !== undefined;
    if (!response) return undefined;
    this.#depart(response);
    this.#before = before;
    // A response may have many names.
    if (this.#refusals || due.isAwaiting) {
      const { names, removed, missing } = response;
      for (const said of [names, removed, missing]) {
        for (const name of said) {
          this.#unrefuse(name);
          due.said(name);
        }
      }
    }
    return { response, view, changed: plan.lack.resources };
  }

  #about(view: View): ComposeOptions {
    return {
      typeUrl: this.typeUrl,
      view,
      protocol: this.#protocol,
      responses: this.#responses,
      ledger: this.#ledger,
      refusals: this.#refusals,
      above: this.#lastSerial,
    };
  }

  #depart(response: Response) {
    this.#inFlight = response;
    this.#lastSerial = response.serial;
    this.#reported = undefined;
  }

  #answer({ error }: StreamRequest): Answer | undefined {
    const response = this.#inFlight;
    if (!response) return undefined;
    const before = this.#before;
    this.#inFlight = undefined;
    this.#before = unknown;
    // A refusal of a response that had nothing in it lasts until the next answer.
    this.#unrefuse("");
    if (!error) {
      this.#ledger.holdings.accepted = response.version;
      return { response, refusal: undefined };
    }
    const { version } = response;
    const { message } = error;
    const all = [...response.names, ...response.removed];
    const names = concerned(message, all);
    const refusal = { version, names, message };
    // What a heartbeat renews the client has, whatever it says.
    if (response.isHeartbeat) return { response, refusal };
    this.#refusals ??= new Refusals();
    this.#refusals.add(refusal, names, before);
    if (!takesTheRest(message)) this.#sendApart(all, names);
    return { response, refusal };
  }

  /**
   * A client that refuses a part of a response may have taken nothing of it (Envoy does not, where a part breaks a rule):
   * the rest is sent again, by itself. Where a response has to hold everything, that has to wait.
   */
  #sendApart(names: readonly string[], refused: readonly string[]) {
    if (names.length === refused.length || !this.#canSendSome) return;
    const { wanted, due } = this.#ledger;
    const apart = new Set(refused);
    for (const name of names) {
      if (!apart.has(name) && wanted.covers(name)) due.force(name);
    }
  }

  /** Whether a response may hold some of what the client wants. */
  get #canSendSome(): boolean {
    return this.#protocol === "delta" || !isFullState(this.typeUrl);
  }

  #unrefuse(name: string) {
    if (!this.#refusals?.delete(name)) return;
    this.#reported = undefined;
    if (this.#refusals.size === 0) this.#refusals = undefined;
  }
}

const unknown = (): Held | undefined => undefined;
