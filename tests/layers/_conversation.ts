/**
 * A client and a cache with the protocol between them and nothing below it: what `node_test.ts` bundles, to run it
 * where there is no Deno.
 */
import { create, fromBinary } from "@bufbuild/protobuf";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import { NodeSchema } from "@xds/envoy/envoy/config/core/v3";
import { DiscoveryResponseSchema } from "@xds/envoy/envoy/service/discovery/v3";
import {
  createSnapshot,
  SnapshotCache,
  type Watch,
} from "../../lib/cache/mod.ts";
import { PREFIX_BYTES, Responses, Stream } from "../../lib/protocol/mod.ts";
import type { StreamAction, StreamEvent } from "../../lib/protocol/mod.ts";
import { TypeUrl } from "../../lib/resource/mod.ts";

const typeUrl = TypeUrl.Cluster;

/** Subscribes, is sent a snapshot, acknowledges it, and is sent the next. Returns the names of clusters in each response. */
export function converse(): string[][] {
  const cache = new SnapshotCache();
  cache.set(
    "node",
    createSnapshot({ resources: [create(ClusterSchema, { name: "a" })] }),
  );
  let serial = 0;
  const responses = new Responses("sotw", () => ++serial);
  const stream = new Stream({ protocol: "sotw", responses });
  const node = create(NodeSchema, { id: "node" });
  const sent: string[][] = [];
  let watch: Watch | undefined;
  let nonce = "";

  const step = (event: StreamEvent) => {
    for (const action of stream.step(event)) carryOut(action);
  };
  const carryOut = (action: StreamAction) => {
    if (action.kind === "watch") {
      watch = cache.watch(
        { client: { id: 1, node }, typeUrl, subscription: action.subscription },
        {
          changed: (view, names) =>
            step({ kind: "changed", typeUrl, view, names }),
        },
      );
    } else if (action.kind === "send") {
      nonce = action.response.nonce;
      watch?.progress?.({ kind: "sent", view: action.view });
      const { resources } = fromBinary(
        DiscoveryResponseSchema,
        action.response.frame.subarray(PREFIX_BYTES),
      );
      sent.push(
        resources.map(({ value }) => fromBinary(ClusterSchema, value).name),
      );
    }
  };
  const request = () => {
    const wanted = { kind: "all", names: [], version: "" } as const;
    step({
      kind: "request",
      request: { node, typeUrl, nonce, error: undefined, wanted },
    });
    step({ kind: "pull" });
  };
  request();
  request();
  const b = create(ClusterSchema, { name: "b" });
  cache.set("node", cache.get("node")!.with({ set: [b] }));
  step({ kind: "pull" });
  request();
  watch?.[Symbol.dispose]();
  return sent;
}
