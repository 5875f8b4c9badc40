import type { Report } from "./_report.ts";

/** Runs a program of this folder and yields what it reports, in a line of JSON each. Throws if it fails. */
export async function reports(
  program: string,
  ...args: string[]
): Promise<Map<string, Report>> {
  const path = new URL(program, import.meta.url).pathname;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", path, ...args],
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
