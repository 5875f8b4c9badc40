/**
 * A proxyless client in grpc-js: makes a call for each line that it reads, and prints a line of what came of it.
 *
 * client.ts TARGET METHOD, with the bootstrap in GRPC_XDS_BOOTSTRAP_CONFIG
 *
 * @module
 */
import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import { register } from "@grpc/grpc-js-xds";
import { Buffer } from "node:buffer";

const CALL_DEADLINE = 30_000;

register();
const [target, method] = Deno.args;
const client = new Client(target, credentials.createInsecure());

function call(): Promise<string> {
  return new Promise((resolve) => {
    client.makeUnaryRequest<Buffer, string>(
      method,
      (request) => request,
      (response) => response.toString(),
      Buffer.alloc(0),
      { deadline: Date.now() + CALL_DEADLINE },
      (error: ServiceError | null, name?: string) =>
        resolve(
          error ? `${status[error.code]} ${error.details}` : `OK ${name}`,
        ),
    );
  });
}

const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
for await (const chunk of lines) {
  for (let i = 1; i < chunk.split("\n").length; i++) {
    console.log((await call()).replaceAll(/\s+/g, " "));
  }
}
Deno.exit();
