import { create } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { assertEquals } from "@std/assert";
import { createSnapshot, serve, SnapshotCache, TypeUrl } from "../../mod.ts";
import { bootstrap } from "../support/bootstrap.ts";
import { Envoy } from "../support/envoy.ts";
import { get } from "../support/http.ts";
import {
  answering,
  listener,
  type ListenerParts,
} from "../support/resources.ts";

/** A listener that answers by itself. */
function saying(
  name: string,
  body: string,
  httpFilters: ListenerParts["httpFilters"] = [],
) {
  return listener(name, { httpFilters, routeSpecifier: answering(body) });
}

for (const delta of [false, true]) {
  Deno.test(`an unknown Any is told by check and refused by a real Envoy, which takes all else (${delta ? "delta" : "state of the world"})`, async () => {
    const filter = create(AnySchema, {
      typeUrl: "type.googleapis.com/acme.filters.v1.Filter",
      value: new Uint8Array([8, 1]),
    });
    const odd = saying("odd", "odd", [{
      name: "acme",
      configType: { case: "typedConfig", value: filter },
    }]);
    const good = createSnapshot({ resources: [saying("web", "first")] });
    const mixed = good.with({ set: [odd, saying("next", "next")] });
    assertEquals(mixed.check().map(({ message }) => message), [
      'Listener "odd": filter_chains[0].filters[0].typed_config.http_filters[0].typed_config cannot be read: ' +
      'an Any of type "type.googleapis.com/acme.filters.v1.Filter", which Envoy\'s API does not have',
    ]);

    const cache = new SnapshotCache({ ads: true });
    for (const node of ["one", "two"]) cache.set(node, good);
    await using server = await serve({ cache, hostname: "127.0.0.1", port: 0 });
    const start = (node: string) =>
      Envoy.start(
        bootstrap({ node, port: server.addr.port, source: "ads", delta }),
      );
    await using one = await start("one");
    await using two = await start("two");
    await one.live();
    await two.live();
    const settled = (node: string) =>
      cache.settled(node, { signal: AbortSignal.timeout(15_000) });

    cache.set("one", mixed);
    const { accepted, clients } = await settled("one");
    assertEquals(accepted, false);
    const { refusal } = clients[0].types.find(({ typeUrl }) =>
      typeUrl === TypeUrl.Listener
    )!;
    assertEquals(refusal?.names, ["odd"]);
    assertEquals(
      refusal?.message.trim(),
      "Error adding/updating listener(s) odd: Didn't find a registered implementation for 'acme' " +
        "with type URL: 'acme.filters.v1.Filter'",
    );
    assertEquals((await get(await one.port("web"), {})).body, "first");
    assertEquals((await get(await one.port("next"), {})).body, "next");

    // It is nothing to the other.
    cache.set("two", createSnapshot({ resources: [saying("web", "second")] }));
    assertEquals((await settled("two")).accepted, true);
  });
}
