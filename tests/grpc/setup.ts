/**
 * `deno task setup:grpc`: builds and installs what the clients in go/, java/ and python/ need into `.tools/`, once.
 *
 * @module
 */
import { pipInstall } from "../../examples/_pip.ts";

const here = new URL("./", import.meta.url).pathname;
const tools = new URL("../../.tools/", import.meta.url).pathname;

/** A file by its content, so that what was made of another one is not taken for it. */
async function stamp(...files: string[]): Promise<string> {
  const contents = await Promise.all(
    files.map((file) => Deno.readTextFile(here + file)),
  );
  const digest = await crypto.subtle.digest(
    "SHA-256",
    new TextEncoder().encode(contents.join("\0")),
  );
  return new Uint8Array(digest).toHex().slice(0, 12);
}

/** Where the packages of python/requirements.txt are installed. */
async function pythonPackages(): Promise<string> {
  return `${tools}grpc-python-${await stamp("python/requirements.txt")}`;
}

/** Where the client of go/ is built. */
async function goClient(): Promise<string> {
  const sources = ["go/main.go", "go/backend.go", "go/go.mod", "go/go.sum"];
  return `${tools}grpc-go-${await stamp(...sources)}`;
}

/** Where the client of java/ and the libraries that it needs are. */
async function javaClient(): Promise<string> {
  return `${tools}grpc-java-${await stamp("java/pom.xml", JAVA_SOURCE)}`;
}

const JAVA_SOURCE = "java/src/main/java/Client.java";

/** A command, and what it needs in its environment. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The client in Go.
 *
 * @throws {Error} if it was not built
 */
export async function goProgram(): Promise<Program> {
  const command = await goClient();
  await mustExist(command, "The client in Go was not built");
  return { command, args: [], env: {} };
}

/**
 * The client in Python.
 *
 * @throws {Error} if what it needs is not installed
 */
export async function pythonProgram(): Promise<Program> {
  const packages = await pythonPackages();
  await mustExist(packages, "grpcio is not in .tools/");
  return {
    command: "python3",
    args: [`${here}python/client.py`],
    env: { PYTHONPATH: packages },
  };
}

/**
 * The client in Java.
 *
 * @throws {Error} if it was not built, or there is no Java to run it
 */
export async function javaProgram(): Promise<Program> {
  const path = await javaClient();
  await mustExist(path, "The client in Java was not built");
  if (!await runs("java", "-version")) throw new Error(JAVA_NEEDS);
  const args = [
    // It starts in a third of the time so.
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-Xmx256m",
    "-cp",
    `${path}/client.jar:${path}/dependencies/*`,
    "Client",
  ];
  return { command: "java", args, env: {} };
}

const JAVA_NEEDS =
  "It takes Java 17 or later and Maven on the PATH (on Debian: apt-get install default-jdk-headless maven).";

/** The client in JavaScript; its packages are in deno.json. */
export function jsProgram(): Program {
  const args = ["run", "--quiet", "--allow-all", `${here}js/client.ts`];
  return { command: Deno.execPath(), args, env: {} };
}

async function mustExist(path: string, problem: string) {
  if (!await exists(path)) {
    throw new Error(`${problem}: run \`deno task setup:grpc\``);
  }
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

/** Builds what is missing under a name that nobody looks for, so that half of it is never taken for the whole. */
async function make(
  path: string,
  what: string,
  build: (path: string) => Promise<boolean>,
  needs: string,
) {
  if (await exists(path)) return;
  console.log(`${what} into .tools/, once`);
  const unfinished = `${path}.${Deno.pid}`;
  if (!await build(unfinished)) {
    console.error(`It could not be done. ${needs}`);
    Deno.exit(1);
  }
  await Deno.rename(unfinished, path);
}

/** Whether a command is on the PATH, runs, and succeeds. */
async function runs(
  command: string,
  ...args: string[]
): Promise<boolean> {
  return await succeeds(
    new Deno.Command(command, { args, stdout: "null", stderr: "null" }),
  );
}

/** False, too, if the command is not on the PATH. */
async function succeeds(command: Deno.Command): Promise<boolean> {
  try {
    return (await command.spawn().status).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function goBuild(path: string): Promise<boolean> {
  return succeeds(
    new Deno.Command("go", {
      args: ["build", "-buildvcs=false", "-o", path, "."],
      cwd: `${here}go`,
      // Without cgo it takes no C compiler.
      env: { CGO_ENABLED: "0" },
    }),
  );
}

async function javaBuild(path: string): Promise<boolean> {
  if (!await runs("javac", "-version")) return false;
  return await succeeds(
    new Deno.Command("mvn", {
      args: ["--batch-mode", "--quiet", `-Doutput=${path}`, "package"],
      cwd: `${here}java`,
    }),
  );
}

if (import.meta.main) {
  await Deno.mkdir(tools, { recursive: true });
  await make(
    await goClient(),
    "Building the gRPC client in Go (its modules come from the Go module proxy)",
    goBuild,
    "It takes Go 1.26 on the PATH, or one from 1.21 on, which fetches that (on Debian: apt-get install golang-go).",
  );
  await make(
    await pythonPackages(),
    "Installing gRPC for Python from PyPI (6 MB to fetch)",
    (path) => pipInstall(path, "-r", `${here}python/requirements.txt`),
    "It takes Python 3 with pip on the PATH (on Debian: apt-get install python3-pip).",
  );
  await make(
    await javaClient(),
    "Building the gRPC client in Java (its libraries come from Maven Central, 35 MB to fetch)",
    javaBuild,
    JAVA_NEEDS,
  );
  console.log(`gRPC in Go:     ${(await goProgram()).command}`);
  console.log(`gRPC in Python: ${(await pythonProgram()).env.PYTHONPATH}`);
  console.log(`gRPC in Java:   ${await javaClient()}`);
}
