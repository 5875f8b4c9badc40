import { cpus, release, totalmem, type } from "node:os";

/** The machine and what runs on it, in a sentence. */
export function machine(): string {
  const processors = cpus();
  const [{ model }] = processors;
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${processors.length} × ${model}, ${memory} GB, ${type()} ${release()}; ` +
    `Deno ${Deno.version.deno} (V8 ${Deno.version.v8}); ${goVersion()}, ` +
    `go-control-plane ${module("github.com/envoyproxy/go-control-plane")}, ` +
    `grpc-go ${module("google.golang.org/grpc")}.`;
}

function goVersion(): string {
  return go("version").replace(/^go version (\S+).*$/, "$1");
}

function module(path: string): string {
  return go("list", "-m", "-f", "{{.Version}}", path);
}

function go(...args: string[]): string {
  const cwd = new URL("go", import.meta.url);
  const { stdout } = new Deno.Command("go", { args, cwd }).outputSync();
  return new TextDecoder().decode(stdout).trim();
}
