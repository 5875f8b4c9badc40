import { createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { cpuUsage } from "node:process";
import { Responses } from "../../lib/protocol/mod.ts";
import { TypeUrl } from "../../mod.ts";
import { answerCommands } from "./_child.ts";
import { clusters } from "./_clusters.ts";

// The line to compare with: the same bytes, written by node:http2 with nothing in between.
const COUNT = 100;
const streams: ServerHttp2Stream[] = [];
let answers = 0;
let answered = () => {};
let version = 1;
let serial = 0;
const responses = new Responses("sotw", () => ++serial);
const frame = () =>
  responses.whole(
    TypeUrl.Cluster,
    clusters(COUNT, version).view(TypeUrl.Cluster),
    serial,
  ).frame;

const server = createServer();
server.on("stream", (stream: ServerHttp2Stream) => {
  stream.respond({ ":status": 200, "content-type": "application/grpc+proto" }, {
    waitForTrailers: true,
  });
  streams.push(stream);
  let isFirst = true;
  stream.on("data", () => {
    if (isFirst) stream.write(frame());
    isFirst = false;
    if (++answers % streams.length === 0) answered();
  });
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
console.log(JSON.stringify((server.address() as AddressInfo).port));

await answerCommands({
  async push() {
    version++;
    const bytes = frame();
    answers = 0;
    const before = cpuUsage();
    const all = new Promise<void>((resolve) => answered = resolve);
    for (const stream of streams) stream.write(bytes);
    await all;
    const { user, system } = cpuUsage(before);
    return { cpu: (user + system) / 1_000 };
  },
});
