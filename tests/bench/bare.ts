/** The line to compare with: the same bytes as ours, written by `node:http2` with nothing in between. */
import { createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { Responses } from "../../lib/protocol/mod.ts";
import { createSnapshot, TypeUrl } from "../../mod.ts";
import { answerCommands, build, type Command, measure } from "./_commands.ts";
import { messages } from "./_resources.ts";

const streams: ServerHttp2Stream[] = [];
let serial = 0;
const responses = new Responses("sotw", () => ++serial);
let frame: Uint8Array;

function setSnapshot({ content, revision }: Command) {
  const resources = build(() =>
    messages("Cluster", 0, content.Cluster, revision)
  );
  return measure(() => {
    const snapshot = createSnapshot({ version: String(revision), resources });
    const view = snapshot.view(TypeUrl.Cluster);
    frame = responses.whole(TypeUrl.Cluster, view, serial).frame;
    for (const stream of streams) stream.write(frame);
  });
}

const server = createServer();
server.on("stream", (stream: ServerHttp2Stream) => {
  stream.respond({ ":status": 200, "content-type": "application/grpc+proto" });
  stream.once("data", () => {
    stream.write(frame);
    streams.push(stream);
    // Acknowledgements are read, and that is all.
    stream.on("data", () => {});
  });
  stream.on("error", () => {});
});

await answerCommands({
  snapshot: setSnapshot,
  async listen() {
    await new Promise<void>((resolve) =>
      server.listen(0, "127.0.0.1", resolve)
    );
    return { port: (server.address() as AddressInfo).port };
  },
});
