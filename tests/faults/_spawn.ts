import type { Report } from "./_report.ts";

/** How many times as long as in the gate faults go on: `deno task soak` says so. */
const SOAK = Number(Deno.env.get("SOAK") ?? 1);

/** Runs a program of this folder, of so many rounds of each fault, and yields what it reports, in a line of JSON each. Throws if it fails. */
export async function reports(
  program: string,
  rounds: number,
  faults: readonly string[],
): Promise<Map<string, Report>> {
  const path = new URL(program, import.meta.url).pathname;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", path, String(rounds * SOAK), ...faults],
    stderr: "piped",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new Error(`${program} failed:\n${text(stderr)}`);
  const lines = text(stdout).trim().split("\n");
  return new Map(
    lines.map((line) => JSON.parse(line) as Report)
      .map((report) => [report.name, report]),
  );
}
