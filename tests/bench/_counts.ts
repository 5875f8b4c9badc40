import { Session } from "node:inspector/promises";

interface FunctionCoverage {
  functionName: string;
  ranges: { count: number }[];
}

interface ScriptCoverage {
  url: string;
  functions: FunctionCoverage[];
}

/** Counts how often functions of lib/ are called, as V8 tells it: nothing has to be built into them for that. */
export class Calls implements Disposable {
  readonly #session = new Session();
  readonly #roots: readonly string[];

  private constructor(parts: readonly string[]) {
    this.#roots = parts.map((part) =>
      new URL(`../../lib/${part}`, import.meta.url).href
    );
  }

  /** Starts counting, in these files or folders of lib/. */
  static async start(parts: readonly string[] = [""]): Promise<Calls> {
    const calls = new Calls(parts);
    calls.#session.connect();
    await calls.#session.post("Profiler.enable");
    await calls.#session.post("Profiler.startPreciseCoverage", {
      callCount: true,
      detailed: false,
    });
    return calls;
  }

  /** The calls since the last time, by the functions' names. */
  async take(): Promise<Map<string, number>> {
    const { result } = await this.#session.post(
      "Profiler.takePreciseCoverage",
    ) as { result: ScriptCoverage[] };
    const counts = new Map<string, number>();
    for (const { url, functions } of result) {
      if (!this.#roots.some((root) => url.startsWith(root))) continue;
      for (const { functionName, ranges: [{ count }] } of functions) {
        counts.set(functionName, (counts.get(functionName) ?? 0) + count);
      }
    }
    return counts;
  }

  [Symbol.dispose]() {
    this.#session.disconnect();
  }
}
