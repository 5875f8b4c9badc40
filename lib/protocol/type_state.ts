import {
  type Refusal,
  sameContent,
  type Subscription,
  type View,
} from "../cache/mod.ts";
import { hex64 } from "../resource/_hash.ts";
import { Resource } from "../resource/mod.ts";
import { isFullState } from "./order.ts";
import type { NameChanges, StreamRequest, WantedNames } from "./request.ts";
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

/** What a client lacks, and the names among those that it asked for of which it is to be told that there are none. */
interface Plan {
  readonly lack: Lack;
  readonly unknown: readonly string[];
}

/** A client's answer to a response. */
export interface Answer {
  readonly response: Response;
  readonly refusal: Refusal | undefined;
}

/**
 * One type on one stream: what the client wants of it, what it was sent, and so what it lacks. State of the world and
 * delta differ in how a request changes the subscription and in what a response holds; all else is decided here, once.
 */
export class TypeState {
  readonly typeUrl: string;
  /** What the client wants; always as of now. */
  readonly subscription: Subscription;
  readonly #protocol: Protocol;
  readonly #responses: Responses;

  #wildcard = false;
  #names: Set<string> = new Set();
  /** Whether the client has ever named anything; an empty list is a wildcard only until then. */
  #hasNamed = false;
  #opened = false;

  #view: View | undefined;
  /** What a wildcard's client was sent: all of this view. */
  #base: View | undefined;
  /** What the client was sent by name, unless all of `#base`. */
  readonly #held = new Map<string, Held>();
  /** The sum of the fingerprints of the resources in `#held`: the version of what a client wants by names. */
  #heldSum = 0n;
  /** Names whose state in the view may differ from what is held. */
  #dirty: Set<string> | "all" = new Set();
  /** Names to send whether the client was sent them or not. */
  readonly #forced = new Set<string>();
  /** Names to force once the client asks for them again. */
  readonly #awaited = new Set<string>();
  /** Whether to answer even if nothing is lacking: a client that just opened a subscription waits for it. */
  #mustAnswer = false;
  /** The version that the client says it has, until it was compared. */
  #claimed: string | undefined;

  #inFlight: Response | undefined;
  #lastSerial = 0;
  readonly #refused = new Map<string, Refusal>();
  #reported: { view: View; refusal: Refusal | undefined } | undefined;

  constructor(typeUrl: string, protocol: Protocol, responses: Responses) {
    this.typeUrl = typeUrl;
    this.#protocol = protocol;
    this.#responses = responses;
    const wildcard = () => this.#wildcard;
    const names = () => this.#names;
    this.subscription = {
      get wildcard() {
        return wildcard();
      },
      get names() {
        return names();
      },
    };
  }

  /** How many names the client would have asked for after a request. */
  sizeAfter(wanted: StreamRequest["wanted"]): number {
    if (wanted.kind === "all") return wanted.names.length;
    return this.#names.size + wanted.subscribe.length;
  }

  /** Takes a request of the client's. */
  request(request: StreamRequest): Verdict {
    const current = request.nonce !== "" &&
      request.nonce === String(this.#lastSerial);
    const stale = request.nonce !== "" && !current && this.#lastSerial > 0;
    // A stale state-of-the-world request is superseded by the one that answers the newest response; the changes in a
    // delta request are said only once.
    if (stale && request.wanted.kind === "all") return { kind: "stale" };
    const answer = current ? this.#answer(request) : undefined;
    const subscriptionChanged = request.wanted.kind === "all"
      ? this.#want(request.wanted)
      : this.#change(request.wanted);
    this.#opened = true;
    return { kind: "request", subscriptionChanged, answer };
  }

  /** Takes what the cache has now; `names` are those that may have changed, undefined if that is not known. */
  offer(view: View, names: ReadonlySet<string> | undefined) {
    this.#view = view;
    this.#reported = undefined;
    if (this.#wildcard) return;
    if (names === undefined) this.#dirty = "all";
    if (this.#dirty === "all") return;
    const [fewer, more] = names!.size < this.#names.size
      ? [names!, this.#names]
      : [this.#names, names!];
    for (const name of fewer) {
      if (more.has(name)) this.#dirty.add(name);
    }
  }

  /**
   * Marks names to be sent again, of those that the client was sent. In state of the world it asks for them again; in
   * delta it cannot, since it never stopped asking.
   */
  resend(names: Iterable<string>) {
    for (const name of names) {
      if (!this.#held.get(name)) continue;
      if (this.#protocol === "sotw") this.#awaited.add(name);
      else this.#force(name);
    }
  }

  /** The next response, if the client lacks something and has answered the last; `changed` are the resources that it lacked. */
  next():
    | { response: Response; view: View; changed: readonly Resource[] }
    | undefined {
    const view = this.#view;
    if (!view || this.#inFlight) return undefined;
    this.#compareClaim(view);
    const plan = this.#wildcard
      ? this.#planWildcard(view)
      : this.#planNames(view);
    const isFirst = this.#mustAnswer;
    this.#mustAnswer = false;
    this.#forced.clear();
    this.#dirty = new Set();
    const response = this.#respond(view, plan, isFirst);
    if (!response) return undefined;
    this.#inFlight = response;
    this.#lastSerial = response.serial;
    this.#reported = undefined;
    for (const names of [response.names, response.removed]) {
      for (const name of names) {
        this.#unrefuse(name);
        this.#awaited.delete(name);
      }
    }
    return {
      response,
      view,
      changed: plan === "whole" ? [] : plan.lack.resources,
    };
  }

  /** That the client has answered all and lacks nothing; undefined if it has not, or if that was said already. */
  settlement(): { view: View; refusal: Refusal | undefined } | undefined {
    if (!this.#view || this.#inFlight || this.#reported) return undefined;
    const [refusal] = this.#refused.values();
    return this.#reported = { view: this.#view, refusal };
  }

  #answer(request: StreamRequest): Answer | undefined {
    const response = this.#inFlight;
    if (!response) return undefined;
    this.#inFlight = undefined;
    if (!request.error) {
      this.#refused.delete("");
      return { response, refusal: undefined };
    }
    const names = concerned(request.error.message, [
      ...response.names,
      ...response.removed,
    ]);
    const refusal = {
      version: response.version,
      names,
      message: request.error.message,
    };
    for (const name of names.length > 0 ? names : [""]) {
      this.#refused.set(name, refusal);
    }
    return { response, refusal };
  }

  #want({ names, version }: WantedNames): boolean {
    if (!this.#opened && version !== "") this.#claimed = version;
    // What nearly every request of a wildcard's is: an answer, and nothing new.
    if (this.#opened && names.length === 0 && !this.#hasNamed) return false;
    const explicit = new Set(names);
    const wildcard = explicit.delete("*") ||
      (names.length === 0 && !this.#hasNamed);
    this.#hasNamed ||= names.length > 0;
    for (const name of this.#awaited) {
      if (!explicit.has(name)) continue;
      this.#awaited.delete(name);
      this.#force(name);
    }
    return this.#subscribe(wildcard, explicit);
  }

  #change({ subscribe, unsubscribe, versions }: NameChanges): boolean {
    if (!this.#opened) {
      for (const [name, version] of versions) this.#held.set(name, version);
    }
    const explicit = new Set(this.#names);
    let wildcard = this.#wildcard || (!this.#opened && subscribe.length === 0);
    this.#hasNamed ||= subscribe.length > 0;
    for (const name of subscribe) {
      if (name === "*") wildcard = true;
      else explicit.add(name);
      if (this.#names.has(name)) this.#force(name);
    }
    for (const name of unsubscribe) {
      if (name === "*") wildcard = false;
      // A client that no longer names what the wildcard gives it all the same has to be told where it stands.
      else if (explicit.delete(name) && wildcard) this.#force(name);
    }
    return this.#subscribe(wildcard, explicit);
  }

  #force(name: string) {
    this.#forced.add(name);
    if (this.#dirty !== "all") this.#dirty.add(name);
  }

  /** Goes over to a new subscription; true if it differs from the old one. */
  #subscribe(wildcard: boolean, names: Set<string>): boolean {
    const before = { wildcard: this.#wildcard, names: this.#names };
    const added = [...names].filter((name) => !before.names.has(name));
    const dropped = [...before.names].filter((name) => !names.has(name));
    this.#wildcard = wildcard;
    this.#names = names;
    if (before.wildcard && !wildcard) {
      for (const name of names) {
        if (before.names.has(name) && this.#base) {
          this.#hold(name, this.#base.resources.get(name) ?? null);
        }
      }
      this.#base = undefined;
    }
    if (!wildcard) {
      for (const name of [...this.#held.keys()]) {
        if (!names.has(name) || (this.#opened && !before.names.has(name))) {
          this.#hold(name, undefined);
        }
      }
      for (const name of this.#refused.keys()) {
        if (name !== "" && !names.has(name)) this.#unrefuse(name);
      }
    } else if (this.#opened) {
      for (const name of added) this.#force(name);
    }
    const hasMore = added.length > 0 || (wildcard && !before.wildcard);
    if (wildcard !== before.wildcard) this.#dirty = "all";
    else if (this.#dirty !== "all") {
      for (const name of added) this.#dirty.add(name);
    }
    if (!this.#opened || (wildcard && !before.wildcard)) {
      this.#mustAnswer = this.#protocol === "sotw" || this.#held.size === 0 ||
        this.#opened;
    }
    return hasMore || dropped.length > 0 || wildcard !== before.wildcard;
  }

  /** Takes a version that a reconnecting client claims, if it can mean but one thing. */
  #compareClaim(view: View) {
    const claimed = this.#claimed;
    this.#claimed = undefined;
    if (claimed === undefined) return;
    if (this.#wildcard) {
      if (claimed !== view.version) return;
      this.#base = view;
    } else if (!view.versionGiven) {
      // The version of some names is that of just their content; a caller's says nothing of which names the client had.
      const wanted = [...this.#names].map((name) => view.resources.get(name));
      const sum = wanted.reduce(
        (sum, resource) => sum + (resource?.fingerprint ?? 0n),
        0n,
      );
      if (claimed !== hex64(sum)) return;
      for (const name of this.#names) {
        this.#hold(name, view.resources.get(name) ?? null);
      }
    } else {
      return;
    }
    this.#mustAnswer = false;
  }

  #planWildcard(view: View): Plan | "whole" {
    const base = this.#base;
    this.#base = view;
    if (!base && this.#held.size === 0) return this.#planAll(view);
    if (base && this.#forced.size === 0) {
      const lack = this.#responses.lack(view, base);
      for (const name of lack.removed) this.#unrefuse(name);
      return { lack, unknown: [] };
    }
    const names = base
      ? [...view.since(base), ...this.#forced]
      : [...view.resources.keys(), ...this.#held.keys()];
    const resources: Resource[] = [];
    const removed: string[] = [];
    const unknown: string[] = [];
    for (const name of new Set(names)) {
      const resource = view.resources.get(name);
      const held = base ? base.resources.get(name) : this.#held.get(name);
      if (resource) {
        if (this.#forced.has(name) || !isHeld(held, resource)) {
          resources.push(resource);
        }
      } else if (held) {
        removed.push(name);
        this.#unrefuse(name);
      } else if (this.#forced.has(name)) {
        unknown.push(name);
      }
    }
    this.#held.clear();
    this.#heldSum = 0n;
    return { lack: { resources, removed }, unknown };
  }

  #planAll(view: View): Plan | "whole" {
    const unknown = [...this.#names].filter((name) =>
      !view.resources.has(name)
    );
    if (unknown.length === 0) return "whole";
    return {
      lack: { resources: [...view.resources.values()], removed: [] },
      unknown,
    };
  }

  #planNames(view: View): Plan {
    const resources: Resource[] = [];
    const removed: string[] = [];
    const unknown: string[] = [];
    for (const name of this.#dirty === "all" ? this.#names : this.#dirty) {
      if (!this.#names.has(name)) continue;
      const resource = view.resources.get(name);
      const held = this.#held.get(name);
      if (resource) {
        if (this.#forced.has(name) || !isHeld(held, resource)) {
          resources.push(resource);
        }
      } else if (held) {
        removed.push(name);
        this.#unrefuse(name);
      } else if (held === undefined || this.#forced.has(name)) {
        unknown.push(name);
      }
      this.#hold(name, resource ?? null);
    }
    return { lack: { resources, removed }, unknown };
  }

  #unrefuse(name: string) {
    if (this.#refused.delete(name)) this.#reported = undefined;
  }

  #hold(name: string, held: Held | undefined) {
    if (this.#protocol === "sotw") {
      const before = this.#held.get(name);
      if (before instanceof Resource) this.#heldSum -= before.fingerprint;
      if (held instanceof Resource) this.#heldSum += held.fingerprint;
    }
    if (held === undefined) this.#held.delete(name);
    else this.#held.set(name, held);
  }

  #respond(
    view: View,
    plan: Plan | "whole",
    mustAnswer: boolean,
  ): Response | undefined {
    if (plan === "whole") {
      if (view.resources.size === 0 && !mustAnswer) return undefined;
      return this.#responses.whole(this.typeUrl, view, this.#lastSerial);
    }
    return this.#protocol === "delta"
      ? this.#respondDelta(view, plan, mustAnswer)
      : this.#respondSotw(view, plan, mustAnswer);
  }

  #respondDelta(
    view: View,
    { lack, unknown }: Plan,
    mustAnswer: boolean,
  ): Response | undefined {
    const content = unknown.length > 0
      ? { ...lack, removed: [...lack.removed, ...unknown] }
      : lack;
    if (
      content.resources.length + content.removed.length === 0 && !mustAnswer
    ) return undefined;
    return this.#responses.part(
      this.typeUrl,
      view,
      view.version,
      content,
      [],
      this.#lastSerial,
    );
  }

  #respondSotw(
    view: View,
    { lack, unknown }: Plan,
    mustAnswer: boolean,
  ): Response | undefined {
    const full = isFullState(this.typeUrl);
    // Only a response that holds all can say that something is gone: by leaving it out.
    const says = lack.resources.length + unknown.length +
      (full ? lack.removed.length : 0);
    if (says === 0 && !mustAnswer) return undefined;
    if (this.#wildcard && full && unknown.length === 0) {
      return this.#responses.whole(this.typeUrl, view, this.#lastSerial);
    }
    const version = this.#wildcard || view.versionGiven
      ? view.version
      : hex64(this.#heldSum);
    const content = {
      resources: full ? this.#wanted(view) : lack.resources,
      removed: [],
    };
    return this.#responses.part(
      this.typeUrl,
      view,
      version,
      content,
      unknown,
      this.#lastSerial,
    );
  }

  #wanted(view: View): Resource[] {
    if (this.#wildcard) return [...view.resources.values()];
    return [...this.#names].map((name) => view.resources.get(name))
      .filter((resource) => resource !== undefined);
  }
}

/** Those of a response's names that a refusal speaks of; all of them if it speaks of none. */
function concerned(message: string, names: readonly string[]): string[] {
  const named = names.filter((name) => mentions(message, name));
  return named.length > 0 ? named : [...names];
}

function mentions(message: string, name: string): boolean {
  const isInWord = (at: number) => /[\w-]/.test(message[at] ?? "");
  for (
    let at = message.indexOf(name);
    at >= 0;
    at = message.indexOf(name, at + 1)
  ) {
    if (!isInWord(at - 1) && !isInWord(at + name.length)) return true;
  }
  return false;
}

function isHeld(held: Held | undefined, resource: Resource): boolean {
  if (held === undefined || held === null) return false;
  return typeof held === "string"
    ? held === resource.version
    : sameContent(held, resource);
}
