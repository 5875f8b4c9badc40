/**
 * `deno task setup:http2`: builds h2spec, the conformance suite of HTTP/2, into `.tools/`, once.
 *
 * @module
 */
const here = new URL("go/", import.meta.url).pathname;
const tools = new URL("../../.tools/", import.meta.url).pathname;

/** Where it is built; by what it is built of, so that another version is not taken for it. */
export async function h2spec(): Promise<string> {
  const sums = await Deno.readFile(`${here}go.sum`);
  const digest = await crypto.subtle.digest("SHA-256", sums);
  return `${tools}h2spec-${new Uint8Array(digest).toHex().slice(0, 12)}`;
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function build(path: string): Promise<boolean> {
  const command = new Deno.Command("go", {
    args: ["build", "-buildvcs=false", "-o", path, "tool"],
    cwd: here,
    env: { CGO_ENABLED: "0" },
  });
  try {
    return (await command.spawn().status).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

if (import.meta.main) {
  const path = await h2spec();
  if (!await exists(path)) {
    console.log("Building h2spec (its modules come from the Go module proxy)");
    await Deno.mkdir(tools, { recursive: true });
    // Under a name that nobody looks for, so that half of it is never taken for the whole.
    const unfinished = `${path}.${Deno.pid}`;
    if (!await build(unfinished)) {
      console.error(
        "It could not be done. It takes Go 1.26 on the PATH, or one from 1.21 on, which fetches that (on Debian: apt-get install golang-go).",
      );
      Deno.exit(1);
    }
    await Deno.rename(unfinished, path);
  }
  console.log(`h2spec: ${path}`);
}
