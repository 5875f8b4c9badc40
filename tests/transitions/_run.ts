import type { LoadResult } from "../lossless/load.ts";
import { type Mode, Rounds } from "./_rounds.ts";
import { Session, type SessionOptions } from "./_session.ts";
import type { World } from "./_world.ts";

/** A transition that takes longer, in milliseconds, is reported. */
const SLOW = 1_000;

/** Options of {@linkcode run}. */
export interface RunOptions extends SessionOptions {
  /** How many transitions. */
  rounds: number;
  /** The round before the first, to replay a part of a run. Default: 0. */
  from?: number;
  seed: number;
  mode: Mode;
  /** Told of each failure, slow transition and loss, with what led to it. */
  report: (text: string) => void;
}

/** What came of a run. */
export interface RunResult {
  readonly sent: number;
  readonly lost: number;
  /** By reason. */
  readonly reasons: ReadonlyMap<string, number>;
  /** Milliseconds until in force, of the transitions that came into force. */
  readonly times: readonly number[];
  /** How many transitions did not come into force in time. */
  readonly notInForce: number;
  /** How many came into force, but did not settle. */
  readonly unsettled: number;
  /** Clusters that were not removed in the end. */
  readonly leftovers: readonly string[];
}

/** A round as it went. */
interface Went {
  readonly number: number;
  readonly begin: number;
  readonly end: number;
  readonly log: string;
}

/** Counts what happens in a run. */
class Counts implements RunResult {
  sent = 0;
  lost = 0;
  readonly reasons = new Map<string, number>();
  readonly times: number[] = [];
  notInForce = 0;
  unsettled = 0;
  readonly leftovers: string[] = [];

  add({ sent, answered, failures }: LoadResult): void {
    this.sent += sent;
    this.lost += sent - answered;
    for (const [reason, count] of failures) {
      this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + count);
    }
  }
}

/** Puts an Envoy through random transitions. After a failure, it goes on with a new Envoy and control plane. */
export async function run(options: RunOptions): Promise<RunResult> {
  const { seed, mode, rounds: count, from = 0 } = options;
  const rounds = new Rounds(seed, mode);
  const counts = new Counts();
  for (let done = from; done < from + count;) {
    done = await session(options, rounds, done, from + count, counts);
  }
  return counts;
}

/** Runs until the end, or until a transition fails; returns the number of the last round. */
async function session(
  options: RunOptions,
  rounds: Rounds,
  done: number,
  last: number,
  counts: Counts,
): Promise<number> {
  const start = rounds.worldAfter(done);
  await using session = await started(options, start);
  if (!session) {
    options.report(`round ${done}: a new Envoy does not become LIVE`);
    counts.notInForce++;
    return done + 1;
  }
  const history: Went[] = [];
  let failure: string | undefined;
  while (done < last && failure === undefined) {
    const round = rounds.at(++done);
    session.plane.log.clear();
    const begin = Date.now();
    const outcome = await session.run(round);
    failure = outcome.failure;
    const log = String(session.plane.log);
    history.push({ number: done, begin, end: Date.now(), log });
    const { inForce } = outcome;
    if (inForce === undefined) counts.notInForce++;
    else {
      counts.times.push(inForce);
      if (failure !== undefined) counts.unsettled++;
      else if (inForce > SLOW && !options.peer) {
        const what = `slow: ${inForce.toFixed(0)} ms`;
        options.report(describe(options, history.slice(-2), what));
      }
    }
  }
  if (failure !== undefined) {
    options.report(describe(options, history.slice(-2), failure));
  } else if (!options.peer) {
    const leftovers = await session.leftovers(rounds.worldAfter(done));
    if (leftovers) counts.leftovers.push(leftovers);
  }
  const load = await session.end();
  counts.add(load);
  reportLosses(options, history, load);
  return done;
}

/** A session; undefined if go-control-plane does not get a new Envoy to start. */
async function started(
  options: RunOptions,
  world: World,
): Promise<Session | undefined> {
  try {
    return await Session.start(options, world);
  } catch (error) {
    if (options.peer) return undefined;
    throw error;
  }
}

/** Reports the first loss of each reason. */
function reportLosses(options: RunOptions, history: Went[], load: LoadResult) {
  if (options.peer) return;
  for (const [reason, count] of load.failures) {
    const [first] = load.failed.find(([, other]) => other === reason)!;
    const hit = history.findIndex(({ end }) => end >= first);
    const rounds = history.slice(Math.max(0, hit - 1), hit + 1);
    const at = new Date(first).toISOString();
    const what = `${count} requests lost, the first at ${at}: ${reason}`;
    options.report(describe(options, rounds, what));
  }
}

function describe(
  { seed, mode, delta, peer }: RunOptions,
  rounds: readonly Went[],
  failure: string,
): string {
  const number = rounds.at(-1)?.number ?? 0;
  const replay = `--seed ${seed} --from ${Math.max(0, number - 2)} --rounds 2` +
    ` --protocol ${delta ? "delta" : "sotw"} --only ${mode} --peer ${
      peer ? "go" : "ours"
    }`;
  const logs = rounds.map(({ number, begin, log }) =>
    `round ${number}, from ${new Date(begin).toISOString()}:\n${log}`
  );
  return [`${failure}; to replay: ${replay}`, ...logs].join("\n");
}
