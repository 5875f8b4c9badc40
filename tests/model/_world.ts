import { type Resource, shortName, TypeUrl } from "../../lib/resource/mod.ts";
import {
  EnvoyModel,
  GrpcModel,
  type ModelRequest,
  type ModelResponse,
} from "../../lib/testing/mod.ts";
import { FakeClock } from "../support/clock.ts";
import { type CacheName, makeCache, type Subject } from "./_caches.ts";
import { Driver } from "./_driver.ts";
import { lacks } from "./_lacks.ts";
import { Repeats } from "./_repeats.ts";
import { rejectionOf, resources } from "./_resources.ts";

/** How many responses may follow one change, or one connection. */
const MOST_RESPONSES = 40;
/** How long a rest may take until the newest is in force, in milliseconds: less than any client waits. */
const PROMPT = 10_000;
/** Longer than everything that drains. */
const DRAINED = 1_300_000;

/** The listeners that gRPC clients use. */
const TARGETS = ["l", "k"];

/** How the world of a script is made. */
export interface WorldOptions {
  readonly protocol: "sotw" | "delta";
  readonly cache: CacheName;
  /** Default: an Envoy. */
  readonly client?: "envoy" | "grpc";
  /** What an Envoy's bootstrap has: `Cluster a:static`. Default: nothing. */
  readonly bootstrap?: string;
  /** Whether more than an Envoy's own waits have to be without effect: what the client is expected to request, it requests. */
  readonly strict?: boolean;
  /** Puts other responses in the place of one, to see that this is found out. */
  readonly tamper?: (response: ModelResponse) => readonly ModelResponse[];
  /** Whether to expect what only ordered changes give. Default: where the cache orders them. */
  readonly expectsOrder?: boolean;
}

/**
 * A model of a client, a server, and what is under way between them, command by command:
 *
 * - `set Cluster a Endpoints a …`: what there is from now on
 * - `connect`, `disconnect`, `restart` (the server, with the same cache)
 * - `request`, `response`: the next message that is under way arrives
 * - `stall`, `flow`: the client stops reading, and reads again
 * - `advance 1000`: time passes, in milliseconds
 * - `rest`: all that is under way arrives, and the client must have the newest resources
 * - `drain`: the same, and so much time passes that everything has drained; nothing else may be left
 */
export class World {
  readonly clock = new FakeClock();
  readonly client: EnvoyModel | GrpcModel;
  readonly requests: ModelRequest[] = [];
  readonly responses: ModelResponse[] = [];
  readonly driver: Driver;
  readonly log: string[] = [];
  readonly options: WorldOptions;
  isConnected = false;
  responsesSent = 0;
  readonly #subject: Subject;
  readonly #bootstrap: readonly Resource[];
  readonly #repeats: Repeats;
  #newest: readonly Resource[] = [];
  #rejected = new Set<string>();
  /** Types of which a response was rejected: what waits for others of the type goes on without them. */
  #nacked = new Set<string>();
  #stalls = false;
  #isReconnected = false;

  constructor(options: WorldOptions) {
    this.options = options;
    const { protocol, cache } = options;
    this.#bootstrap = resources(options.bootstrap ?? "");
    this.#subject = makeCache(cache, this.clock);
    this.#repeats = new Repeats(protocol);
    const rejects = rejectionOf;
    this.client = options.client === "grpc"
      ? new GrpcModel({ protocol, rejects, targets: TARGETS })
      : new EnvoyModel({ protocol, rejects, bootstrap: this.#bootstrap });
    const server = { protocol, cache: this.#subject.cache, clock: this.clock };
    this.driver = new Driver(server);
  }

  /** Carries out a command. Throws where something is not as it should be. */
  execute(command: string) {
    this.log.push(command);
    const [verb] = command.split(" ", 1);
    const rest = command.slice(verb.length + 1);
    const run = this.#commands[verb];
    if (!run) throw new SyntaxError(`unknown command: ${command}`);
    run(rest);
    this.#check();
  }

  /** Whether a command would do something. */
  can(verb: string): boolean {
    switch (verb) {
      case "request":
        return this.requests.length > 0;
      case "response":
        return this.responses.length > 0;
      case "connect":
        return !this.isConnected;
      case "disconnect":
        return this.isConnected;
      default:
        return true;
    }
  }

  readonly #commands: Readonly<Record<string, (rest: string) => void>> = {
    set: (text) => {
      this.#newest = resources(text);
      this.responsesSent = 0;
      for (const its of this.#newest) {
        if (rejectionOf(its)) this.#rejected.add(its.name);
      }
      this.#repeats.set(this.#newest);
      this.#subject.set(this.#newest);
      this.#pull();
    },
    connect: () => {
      if (this.isConnected) return;
      this.isConnected = true;
      this.responsesSent = 0;
      this.driver.open();
      this.#repeats.connect();
      this.#send(this.client.connect());
    },
    disconnect: () => this.#disconnect(),
    restart: () => {
      this.#disconnect();
      this.driver.restart();
    },
    request: () => {
      const request = this.requests.shift();
      if (!request) return;
      this.#repeats.request(request);
      this.driver.request(request);
      this.#pull();
    },
    response: () => {
      const response = this.responses.shift();
      if (response) this.#send(this.client.receive(response));
    },
    stall: () => this.#stalls = true,
    flow: () => {
      this.#stalls = false;
      this.#pull();
    },
    advance: (ms) => this.#advance(Number(ms)),
    rest: () => this.#rest(),
    drain: () => this.#drain(),
  };

  /** What the client lacks of the newest resources, but for what it rejects and what depends on that. */
  lacks(isDrained: boolean): string[] {
    const rejected = this.#newest.filter((its) => rejectionOf(its));
    const names = new Set(rejected.map(({ name }) => name));
    const problems = lacks(
      this.client,
      this.#newest,
      names,
      isDrained,
      this.#bootstrap,
    );
    return problems.filter((text) => !this.#isForgotten(text));
  }

  #disconnect() {
    this.isConnected = false;
    this.#isReconnected = true;
    this.driver.close();
    this.client.disconnect();
    this.requests.length = 0;
    this.responses.length = 0;
  }

  #advance(ms: number) {
    this.clock.advance(ms);
    this.#send(this.client.advance(ms));
    this.#pull();
  }

  #send(requests: readonly ModelRequest[]) {
    if (!this.isConnected) return;
    for (const request of requests) {
      this.log.push(`  → ${writtenRequest(request)}`);
      if (request.error !== undefined) this.#nacked.add(request.typeUrl);
      this.requests.push(request);
    }
  }

  #pull() {
    if (!this.isConnected || this.#stalls) return;
    const { tamper = (its: ModelResponse) => [its] } = this.options;
    for (;;) {
      const response = this.driver.pull();
      this.log.push(...this.driver.log.splice(0));
      if (!response) return;
      for (const its of tamper(response)) this.#respond(its);
    }
  }

  #respond(response: ModelResponse) {
    this.log.push(`  ← ${writtenResponse(response)}`);
    this.responses.push(response);
    this.responsesSent++;
    if (this.responsesSent > MOST_RESPONSES) {
      throw new Error(`more than ${MOST_RESPONSES} responses for one change`);
    }
    const problem = this.#repeats.response(response);
    if (problem) throw new Error(problem);
  }

  #exchange() {
    while (this.requests.length + this.responses.length > 0) {
      this.#commands[this.requests.length > 0 ? "request" : "response"]("");
      this.#check();
    }
  }

  #rest() {
    this.#commands.flow("");
    this.#commands.connect("");
    this.#exchange();
    for (let waited = 0; waited < PROMPT; waited += 500) {
      if (this.lacks(false).length + this.#unsettled.length === 0) return;
      this.log.push("  (500 ms)");
      this.#advance(500);
      this.#exchange();
    }
    this.#requireNone("it lacks", this.lacks(false));
    this.#requireNone("not settled:", this.#unsettled);
  }

  /** Types whose newest set is not in force, as far as the server says. */
  get #unsettled(): string[] {
    const { typeUrls, settled } = this.driver;
    return typeUrls.filter((typeUrl) => !settled.has(typeUrl)).map(shortName);
  }

  /** Lets everything drain; then nothing must be left of what there was before. */
  #drain() {
    this.#rest();
    this.log.push("  (everything drains)");
    // At first, clients unsubscribe from what they no longer use.
    const steps = [50, ...Array.from({ length: 10 }, () => DRAINED / 10)];
    for (const ms of steps) {
      this.#advance(ms);
      this.#exchange();
    }
    this.#requireNone("after draining:", this.lacks(true));
  }

  #check() {
    this.#requireNone("timed out:", this.#timeouts());
    const { strict = false } = this.options;
    if (strict) {
      this.#requireNone("not requested in time:", this.driver.notRequested);
    }
    const { expectsOrder = this.#subject.makesBeforeBreak } = this.options;
    if (!expectsOrder) return;
    if (this.client instanceof GrpcModel) {
      this.#requireNone("told too early:", this.client.violations);
    }
    const broken = this.client.broken.filter((text) => !this.#isExcused(text));
    this.#requireNone("requests fail:", broken);
  }

  /**
   * A client does not claim what it has from responses that it rejected in part, so that after a reconnection nobody knows of it.
   */
  #isForgotten(problem: string): boolean {
    return this.#hasForgotten &&
      [...this.#nacked].some((typeUrl) =>
        problem.startsWith(`still ${shortName(typeUrl)} `) ||
        problem.startsWith(`warming ${shortName(typeUrl)} `)
      );
  }

  /** What was waited for in vain. A gRPC client waits for a listener that there is not, since it cannot know that. */
  #timeouts(): string[] {
    const { timeouts } = this.client;
    const isEnvoy = this.client instanceof EnvoyModel;
    const missing = isEnvoy
      ? []
      : TARGETS.filter((target) =>
        !this.#newest.some(({ typeUrl, name }) =>
          typeUrl === TypeUrl.Listener && name === target
        )
      );
    const real = timeouts.filter((text) =>
      !missing.includes(text.replace("Listener ", ""))
    );
    // What was missing then may come.
    timeouts.length = 0;
    return this.#hasForgotten ? [] : real;
  }

  /** Whether the client may have what it does not claim: a part of a response that it rejected, before it came back. */
  get #hasForgotten(): boolean {
    return this.#isReconnected && this.#nacked.size > 0;
  }

  #isExcused(broken: string): boolean {
    const words = broken.split(" ");
    if ([...this.#rejected].some((name) => words.includes(name))) return true;
    const { ClusterLoadAssignment } = TypeUrl;
    return [...this.#nacked].some((typeUrl) =>
      broken.includes(`lacks ${shortName(typeUrl)}`) ||
      typeUrl === ClusterLoadAssignment && words.includes("endpoints")
    );
  }

  #requireNone(what: string, problems: readonly string[]) {
    if (problems.length > 0) throw new Error(`${what} ${problems.join(", ")}`);
  }
}

/** A request as a line of a conversation. */
export function writtenRequest(request: ModelRequest): string {
  const list = (label: string, names: readonly string[]) =>
    names.length > 0 ? ` ${label}=${names.join(",")}` : "";
  const { typeUrl, nonce, error, version } = request;
  return shortName(typeUrl) + list("names", request.names) +
    list("subscribe", request.subscribe) +
    list("unsubscribe", request.unsubscribe) +
    list("has", [...request.versions.keys()]) +
    (nonce ? ` nonce=${nonce}` : "") +
    (version ? ` version=${version.slice(0, 6)}` : "") +
    (error === undefined ? "" : ` error="${error}"`);
}

/** A response as a line of a conversation. */
export function writtenResponse(response: ModelResponse): string {
  const { typeUrl, nonce, version, resources, removed } = response;
  const names = resources.map(({ name }) => name).join(" ");
  return `${shortName(typeUrl)} nonce=${nonce} version=${
    version.slice(0, 6)
  } [${names}]` + (removed.length > 0 ? ` removed=[${removed.join(" ")}]` : "");
}
