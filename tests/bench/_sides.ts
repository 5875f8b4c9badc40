import type { Side } from "./_measure.ts";
import type { Observed } from "./_observers.ts";
import { Process, program } from "./_process.ts";

/** Where what is written in Go is built to. */
export const tools = `${import.meta.dirname}/../../.tools/bench/`;

/** Our server. */
export const ours: Side = {
  start: () => program("server.ts"),
};

/** Our server, with an observer. */
export function observed(observed: Observed): Side {
  return { start: () => program("server.ts", observed) };
}

/** go-control-plane. */
export const theirs: Side = {
  start: () => new Process(`${tools}peer`),
};

/** `node:http2` writing the same bytes, with nothing in between. */
export const bare: Side = {
  start: () => program("bare.ts"),
};

/** The load generator, the same for every side. */
export function startLoad(): Process {
  return new Process(`${tools}load`);
}

/** Builds what is written in Go. */
export async function buildGo(): Promise<void> {
  await Deno.mkdir(tools, { recursive: true });
  const build = new Deno.Command("go", {
    args: ["build", "-o", tools, "./peer", "./load", "./lossless", "./hostile"],
    cwd: new URL("go", import.meta.url),
    stderr: "inherit",
  });
  let success: boolean;
  try {
    ({ success } = await build.output());
  } catch (cause) {
    throw new Error(
      "the peer and the load generator are written in Go: install it (apt-get install golang, or https://go.dev/dl)",
      { cause },
    );
  }
  if (!success) throw new Error("building tests/bench/go failed");
}
