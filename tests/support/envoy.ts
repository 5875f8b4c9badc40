import { requireEnvoy } from "../../examples/setup.ts";
import { until } from "./until.ts";

/** A real Envoy, as long as it is not disposed of. */
export class Envoy implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #admin: string;
  readonly #folder: string;

  private constructor(
    process: Deno.ChildProcess,
    admin: string,
    folder: string,
  ) {
    this.#process = process;
    this.#admin = admin;
    this.#folder = folder;
  }

  /**
   * Starts an Envoy and waits until its admin interface answers.
   *
   * @param bootstrap its configuration as JSON
   * @param args more arguments of its command line
   */
  static async start(
    bootstrap: Record<string, unknown>,
    args: readonly string[] = [],
  ): Promise<Envoy> {
    const folder = await Deno.makeTempDir({ prefix: "envoy-" });
    const config = {
      ...bootstrap,
      admin: {
        address: { socket_address: { address: "127.0.0.1", port_value: 0 } },
      },
    };
    await Deno.writeTextFile(`${folder}/envoy.json`, JSON.stringify(config));
    const process = new Deno.Command(await requireEnvoy(), {
      args: [
        "-c",
        `${folder}/envoy.json`,
        "--admin-address-path",
        `${folder}/admin`,
        "--use-dynamic-base-id",
        "--concurrency",
        "1",
        "--log-path",
        `${folder}/log`,
        "--component-log-level",
        "config:debug,upstream:info",
        ...args,
      ],
      // What its configuration names with no folder, it writes here.
      cwd: folder,
      stdout: "null",
      stderr: "null",
    }).spawn();
    const admin = await until(
      "Envoy's admin address",
      () => Deno.readTextFile(`${folder}/admin`),
    );
    const envoy = new Envoy(process, `http://${admin}`, folder);
    await until(
      "Envoy's admin interface",
      async () => (await envoy.admin("/server_info")).includes("state"),
    );
    return envoy;
  }

  /** What an admin page says. */
  async admin(path: string): Promise<string> {
    return await (await fetch(this.#admin + path)).text();
  }

  /** Waits until Envoy has initialized, for at most `deadline` milliseconds. */
  async live(deadline?: number): Promise<void> {
    try {
      await until(
        "Envoy to be live",
        async () => (await this.admin("/ready")).startsWith("LIVE"),
        deadline,
      );
    } catch (cause) {
      throw new Error(
        `Envoy is not live; the end of its log:\n${await this.log()}`,
        { cause },
      );
    }
  }

  /** The port that a listener got, once it listens. */
  port(listener: string): Promise<number> {
    return until(`listener ${listener}`, async () => {
      const { listener_statuses = [] } = JSON.parse(
        await this.admin("/listeners?format=json"),
      );
      const status = listener_statuses.find((status: { name: string }) =>
        status.name === listener
      );
      return status?.local_address.socket_address.port_value;
    });
  }

  /** The value of a counter or gauge. */
  async stat(name: string): Promise<number | undefined> {
    const line =
      (await this.admin(`/stats?filter=^${name.replaceAll(".", "\\.")}$`))
        .trim();
    return line ? Number(line.slice(line.indexOf(":") + 1)) : undefined;
  }

  /** The end of its log. */
  async log(): Promise<string> {
    return (await Deno.readTextFile(`${this.#folder}/log`)).split("\n").slice(
      -40,
    ).join("\n");
  }

  async [Symbol.asyncDispose]() {
    this.#process.kill("SIGKILL");
    await this.#process.status;
    await Deno.remove(this.#folder, { recursive: true });
  }
}
