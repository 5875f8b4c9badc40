import type { Cost, Usage } from "./_commands.ts";
import type { Process } from "./_process.ts";
import { startLoad } from "./_sides.ts";

/** A server that is measured. */
export interface Side {
  /** Starts it. */
  start(): Process;
}

/** How much is measured. */
export interface Effort {
  /** How often each side has its turn. */
  runs: number;
  /** Milliseconds after which a row makes do with fewer. */
  budget: number;
}

const FEWEST_RUNS = 2;

/** The numbers of the runs, as many as there is time for. */
export function* runsOf({ runs, budget }: Effort): Iterable<number> {
  const end = performance.now() + budget;
  for (let run = 0; run < runs; run++) {
    if (run >= FEWEST_RUNS && performance.now() > end) return;
    yield run;
  }
}

/** What the clients do; go/load says what the fields mean. */
export interface Clients {
  protocol: "sotw" | "delta";
  streams: number;
  perConnection?: number;
  node?: string;
  subscriptions: {
    type: string;
    prefix?: string;
    count?: number;
    of?: number;
    after?: string;
    expect: number;
  }[];
  held?: boolean;
  probe?: string;
  track?: boolean;
  slow?: number;
}

/** What one run of one side came to. */
export interface Sample {
  /** Server CPU time in milliseconds. */
  cpu?: number;
  /** Milliseconds until the last acknowledgement. */
  wall?: number;
  /** The server's resident memory in bytes. */
  rss?: number;
  /** Peak of the server's resident memory in bytes. */
  peak?: number;
  /** Bytes that the clients got. */
  bytes?: number;
  /** Responses that the clients got. */
  responses?: number;
  /** CPU time of the load generator in milliseconds. */
  load?: number;
  /** Median over changes of how late the last client had it, in milliseconds. */
  late?: number;
  /** The longest that any client had to wait for a change, in milliseconds. */
  latest?: number;
}

/** The samples of each side, in the order of the sides. */
export type Samples = Sample[][];

/** What a round of responses came to, or connecting. */
export interface Round {
  at: number;
  wall: number;
  responses: number;
  bytes: number;
}

/** A server with its clients. */
export class Bench implements AsyncDisposable {
  server: Process;
  readonly load: Process;
  port = 0;
  revision = 1;

  private constructor(server: Process, load: Process) {
    this.server = server;
    this.load = load;
  }

  /** Starts a server, tells it what to serve, and lets it listen. */
  static async start(side: Side, setup: readonly object[]): Promise<Bench> {
    const bench = new Bench(side.start(), startLoad());
    await bench.#setUp(setup);
    return bench;
  }

  /** Puts a new server in the place of the old one. */
  async restart(side: Side, setup: readonly object[]) {
    await this.server[Symbol.asyncDispose]();
    this.server = side.start();
    await this.#setUp(setup);
  }

  async #setUp(setup: readonly object[]) {
    for (const command of setup) {
      await this.server.ask({ revision: this.revision, ...command });
    }
    const { port } = await this.server.ask<{ port: number }>({ do: "listen" });
    this.port = port;
  }

  /** Connects the clients. */
  connect(clients: Clients): Promise<Round> {
    return this.load.ask<Round>({
      do: "connect",
      port: this.port,
      perConnection: 10,
      node: "node",
      ...clients,
    });
  }

  /** Has the server do something, and waits until the clients have acknowledged what came of it. */
  async push(command: object, responses: number): Promise<Round & Cost> {
    await this.load.ask({ do: "arm", responses });
    const cost = await this.server.ask<Cost>({
      revision: ++this.revision,
      ...command,
    });
    const round = await this.load.ask<Round>({ do: "wait" });
    return { ...cost, ...round, wall: (round.at - cost.at) / 1_000 };
  }

  usage(): Promise<Usage> {
    return this.server.ask<Usage>({ do: "stat" });
  }

  /** Measures what something costs the server and the load generator. */
  async measure(run: () => Promise<Sample>): Promise<Sample> {
    await this.server.ask({ do: "reset" });
    const [server, load] = [await this.usage(), await this.#loadCpu()];
    const { wall, bytes, responses, late, latest } = await run();
    await this.load.ask({ do: "sync" });
    const [after, loadAfter] = [await this.usage(), await this.#loadCpu()];
    return {
      cpu: after.cpu - server.cpu - (after.building - server.building),
      rss: after.rss,
      peak: after.peak,
      load: loadAfter - load,
      wall,
      bytes,
      responses,
      late,
      latest,
    };
  }

  async #loadCpu(): Promise<number> {
    return (await this.load.ask<Usage>({ do: "stat" })).cpu;
  }

  async [Symbol.asyncDispose]() {
    await this.load[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }
}

/** The middle one. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}
