import { create } from "@bufbuild/protobuf";
import { assert, assertEquals } from "@std/assert";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import { SecretSchema } from "@xds/envoy/envoy/extensions/transport_sockets/tls/v3";
import {
  type Access,
  type AuthorizationRequest,
  createSnapshot,
  type Peer,
  RequestError,
  type ServerEvent,
  SnapshotCache,
  TypeUrl,
} from "../../mod.ts";
import { pem } from "../support/certs.ts";
import { GrpcClient } from "../support/grpc_client.ts";
import { until } from "../support/until.ts";
import { listen, type Way, ways } from "./_listen.ts";

const OK = 0;
const NOT_FOUND = 5;
const PERMISSION_DENIED = 7;
const RESOURCE_EXHAUSTED = 8;
const UNAVAILABLE = 14;
const UNAUTHENTICATED = 16;
const ca = pem("ca.pem");
const edge1 = { id: "edge-1" };
const edge2 = { id: "edge-2" };

/** What everybody has: a cluster named after the node, and a secret for each. */
function cacheFor(...ids: string[]): SnapshotCache {
  const cache = new SnapshotCache();
  for (const id of ids) {
    const secrets = [...ids, "shared"].map((owner) =>
      create(SecretSchema, { name: `${owner}/key` })
    );
    const cluster = create(ClusterSchema, { name: `cluster-of-${id}` });
    cache.set(id, createSnapshot({ resources: [cluster, ...secrets] }));
  }
  return cache;
}

function withCertificate(port: number, name: string): GrpcClient {
  const cert = pem(`${name}.pem`);
  return new GrpcClient(port, { ca, cert, key: pem(`${name}.key`) });
}

function withToken(port: number, token?: string): GrpcClient {
  const headers = token === undefined
    ? undefined
    : { authorization: `Bearer ${token}` };
  return new GrpcClient(port, { ca }, headers);
}

/** The node that a client's certificate is for. */
function nodeInCertificate({ certificate }: Peer): string | undefined {
  const prefix = "URI:spiffe://test/";
  return certificate?.subjectAltNames
    .find((name) => name.startsWith(prefix))?.slice(prefix.length);
}

const isItself = ({ identity, node }: AuthorizationRequest<string>) =>
  node.id === identity;

/** A test for a server of ours and for our routes in somebody else's. */
function test(name: string, run: (way: Way) => Promise<void>) {
  for (const way of ways) Deno.test(`${way}: ${name}`, () => run(way));
}

test("a client cannot take the node id of another", async (way) => {
  const events: ServerEvent[] = [];
  await using server = await listen(way, {
    cache: cacheFor("edge-1", "edge-2"),
    clientCertificates: true,
    authenticate: nodeInCertificate,
    authorize: isItself,
    observer: (event) => events.push(event),
  });
  using honest = withCertificate(server.port, "client");
  using forger = withCertificate(server.port, "other-client");
  const details = 'node "edge-1" may not have Cluster [*]';

  const stream = honest.sotw();
  stream.send({ node: edge1, typeUrl: TypeUrl.Cluster });
  assertEquals((await stream.next()).resources.length, 1);
  for (const forged of [forger.sotw(), forger.delta()]) {
    forged.send({ node: edge1, typeUrl: TypeUrl.Cluster });
    assertEquals(await forged.status, { code: PERMISSION_DENIED, details });
    assertEquals(forged.waiting, 0);
  }
  // Nobody was told that it was that node, but that somebody claimed so.
  assertEquals(events.filter(({ kind }) => kind === "node").length, 1);
  const refused = events.filter((event) => event.kind === "refuse");
  assertEquals(refused.map(({ node }) => node?.id), ["edge-1", "edge-1"]);
  assertEquals(refused[0].stream.identity, "edge-2");

  const own = forger.sotw();
  own.send({ node: edge2, typeUrl: TypeUrl.Cluster });
  assertEquals((await own.next()).resources.length, 1);
  own.cancel();
  // The honest client was not disturbed.
  stream.send({
    typeUrl: TypeUrl.Secret,
    resourceNames: ["edge-1/key"],
  });
  assertEquals((await stream.next()).typeUrl, TypeUrl.Secret);
  stream.cancel();
});

test("a client cannot become another node in mid-stream", async (way) => {
  const gate = Promise.withResolvers<void>();
  let slow = false;
  await using server = await listen(way, {
    cache: cacheFor("edge-1", "edge-2"),
    clientCertificates: true,
    authenticate: nodeInCertificate,
    authorize: async (request) => {
      if (slow) await gate.promise;
      return isItself(request);
    },
  });
  using client = withCertificate(server.port, "client");
  const stream = client.sotw();
  stream.send({ node: edge1, typeUrl: TypeUrl.Cluster });
  const first = await stream.next();
  slow = true;
  const answer = { typeUrl: TypeUrl.Cluster, responseNonce: first.nonce };
  stream.send({ ...answer, node: edge2 });
  // What comes meanwhile waits for the decision.
  stream.send({ typeUrl: TypeUrl.Secret, resourceNames: ["edge-1/key"] });
  gate.resolve();
  assertEquals(await stream.status, {
    code: PERMISSION_DENIED,
    details: 'node "edge-2" may not have Cluster [*]',
  });
  assertEquals(stream.waiting, 0);
});

test("a name with a comma in it does not pass for two", async (way) => {
  const names: unknown[] = [];
  await using server = await listen(way, {
    cache: cacheFor("edge-1"),
    clientCertificates: true,
    authenticate: (peer) => {
      names.push(peer.certificate?.subjectAltNames);
      return nodeInCertificate(peer);
    },
    authorize: isItself,
  });
  using client = withCertificate(server.port, "comma-client");
  const stream = client.sotw();
  stream.send({ node: edge1, typeUrl: TypeUrl.Cluster });
  assertEquals((await stream.status).code, PERMISSION_DENIED);
  assertEquals(names, [[
    "URI:spiffe://test/none, URI:spiffe://test/edge-1",
    "URI:spiffe://test/a,b",
    "IP Address:0:0:0:0:0:0:0:1",
    "email:a@b",
  ]]);
});

test("an expired certificate, a foreign one, and none are turned away", async (way) => {
  const events: ServerEvent[] = [];
  let authenticated = 0;
  await using server = await listen(way, {
    cache: cacheFor("edge-1"),
    clientCertificates: true,
    authenticate: (peer) => {
      authenticated++;
      return nodeInCertificate(peer);
    },
    observer: (event) => events.push(event),
  });
  using expired = withCertificate(server.port, "expired-client");
  using foreign = withCertificate(server.port, "foreign-client");
  using anonymous = withToken(server.port);
  for (const client of [expired, foreign, anonymous]) {
    const stream = client.sotw();
    stream.send({ node: edge1, typeUrl: TypeUrl.Cluster });
    assertEquals((await stream.status).code, UNAVAILABLE);
  }
  assertEquals([authenticated, events.length], [0, 0]);
  using client = withCertificate(server.port, "client");
  const stream = client.sotw();
  stream.send({ node: edge1, typeUrl: TypeUrl.Cluster });
  await stream.next();
  assertEquals(authenticated, 1);
  stream.cancel();
});

const tokens: Access<string>["authenticate"] = async (_peer, headers) => {
  const [scheme, token] = headers.get("authorization")?.split(" ") ?? [];
  // As asking somebody does.
  await Promise.resolve();
  if (scheme !== "Bearer") return undefined;
  if (token === "expired") {
    throw new RequestError("unauthenticated", "the token has expired");
  }
  if (token === "broken") throw new Error(`cannot look up ${token}`);
  return ["edge-1", "edge-2"].find((id) => token === `token-of-${id}`);
};

test("bearer tokens say who a client is, once for each stream", async (way) => {
  const events: ServerEvent[] = [];
  let calls = 0;
  await using server = await listen(way, {
    cache: cacheFor("edge-1", "edge-2"),
    authenticate: (...args) => {
      calls++;
      return tokens(...args);
    },
    authorize: isItself,
    observer: (event) => events.push(event),
  });
  const unknown =
    "the client is not authenticated: this server asks for a certificate or token that it accepts";
  const outcomes: [token: string | undefined, details: string][] = [
    [undefined, unknown],
    ["guessed", unknown],
    ["broken", unknown],
    ["expired", "the token has expired"],
  ];
  for (const [token, details] of outcomes) {
    using client = withToken(server.port, token);
    // Nothing has to be sent to be turned away.
    const { status } = client.sotw();
    assertEquals(await status, { code: UNAUTHENTICATED, details });
  }
  const refused = events.filter((event) => event.kind === "refuse");
  assertEquals(
    (refused[2].error.cause as Error).message,
    "cannot look up broken",
  );

  calls = 0;
  using client = withToken(server.port, "token-of-edge-1");
  const stream = client.delta();
  stream.send({ node: edge1, typeUrl: TypeUrl.Cluster });
  await stream.next();
  stream.send({
    typeUrl: TypeUrl.Secret,
    resourceNamesSubscribe: ["edge-1/key"],
  });
  await stream.next();
  assertEquals(calls, 1);
  const forged = client.sotw();
  forged.send({ node: edge2, typeUrl: TypeUrl.Cluster });
  assertEquals((await forged.status).code, PERMISSION_DENIED);
  stream.end();
  assertEquals((await stream.status).code, OK);
});

/** Secrets are for those whose names they bear, one by one. */
const ownSecrets = ({ identity, typeUrl, subscription }: AuthorizationRequest<
  string
>) =>
  typeUrl !== TypeUrl.Secret ||
  (!subscription.wildcard &&
    [...subscription.names].every((name) => name.startsWith(`${identity}/`)));

test("secrets go to their owner, and to no wildcard", async (way) => {
  await using server = await listen(way, {
    cache: cacheFor("edge-1", "edge-2"),
    authenticate: tokens,
    authorize: ownSecrets,
  });
  using client = withToken(server.port, "token-of-edge-1");
  const node = edge1;
  const typeUrl = TypeUrl.Secret;
  const collection =
    "xdstp://test/envoy.extensions.transport_sockets.tls.v3.Secret/*";
  const sotw: [resourceNames: string[], shown: string][] = [
    [["*"], "*"],
    [["edge-1/key", "*"], "*, edge-1/key"],
    [["edge-2/key"], "edge-2/key"],
    [["edge-1/key", "edge-2/key"], "edge-1/key, edge-2/key"],
    [[collection], collection],
  ];
  for (const [resourceNames, shown] of sotw) {
    const details = `node "edge-1" may not have Secret [${shown}]`;
    const refused = { code: PERMISSION_DENIED, details };
    const stream = client.sotw();
    stream.send({ node, typeUrl, resourceNames });
    assertEquals(await stream.status, refused);
    const delta = client.delta();
    delta.send({ node, typeUrl, resourceNamesSubscribe: resourceNames });
    assertEquals(await delta.status, refused);
    assertEquals([stream.waiting, delta.waiting], [0, 0]);
  }
  const sds = client.sotw(
    "/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets",
  );
  sds.send({ node, resourceNames: ["*"] });
  assertEquals((await sds.status).code, PERMISSION_DENIED);

  // A request without names asks for no secrets, and so gets none.
  const stream = client.sotw();
  stream.send({ node, typeUrl });
  stream.send({ typeUrl, resourceNames: ["edge-1/key"] });
  assertEquals((await stream.next()).resources.length, 1);
  stream.cancel();
  const delta = client.delta();
  delta.send({ node, typeUrl });
  delta.send({ typeUrl, resourceNamesSubscribe: ["edge-1/key"] });
  assertEquals((await delta.next()).resources.map(({ name }) => name), [
    "edge-1/key",
  ]);
  delta.cancel();
});

test("more names are decided again: a refusal ends that stream alone", async (way) => {
  const asked: string[] = [];
  await using server = await listen(way, {
    cache: cacheFor("edge-1", "edge-2"),
    authenticate: tokens,
    authorize: (request) => {
      const { wildcard, names } = request.subscription;
      asked.push(
        `${wildcard ? "*" : ""}${[...names]} new ${[...request.names]}`,
      );
      return ownSecrets(request);
    },
  });
  using client = withToken(server.port, "token-of-edge-1");
  const typeUrl = TypeUrl.Secret;
  const beside = client.sotw();
  beside.send({ node: edge1, typeUrl, resourceNames: ["edge-1/key"] });
  const kept = await beside.next();

  const stream = client.delta();
  stream.send({
    node: edge1,
    typeUrl,
    resourceNamesSubscribe: ["edge-1/key", "edge-1/none"],
  });
  const first = await stream.next();
  asked.length = 0;
  // An answer, a name asked for again, and one no longer asked for: nothing new.
  stream.send({ typeUrl, responseNonce: first.nonce });
  stream.send({ typeUrl, resourceNamesSubscribe: ["edge-1/key"] });
  const again = await stream.next();
  stream.send({ typeUrl, responseNonce: again.nonce });
  stream.send({ typeUrl, resourceNamesUnsubscribe: ["edge-1/none"] });
  // What was given up is new when it is asked for once more.
  stream.send({ typeUrl, resourceNamesSubscribe: ["edge-1/none"] });
  const { nonce, removedResources } = await stream.next();
  assertEquals(removedResources, ["edge-1/none"]);
  assertEquals(asked, ["edge-1/key,edge-1/none new edge-1/none"]);
  stream.send({
    typeUrl,
    responseNonce: nonce,
    resourceNamesSubscribe: ["edge-2/key"],
  });
  assertEquals(await stream.status, {
    code: PERMISSION_DENIED,
    details: 'node "edge-1" may not have Secret [edge-2/key]',
  });
  assertEquals(stream.waiting, 0);
  assertEquals(asked[1], "edge-1/key,edge-1/none,edge-2/key new edge-2/key");

  // The wildcard is more than any names.
  const greedy = client.delta();
  const names = { resourceNamesSubscribe: ["edge-1/key"] };
  greedy.send({ node: edge1, typeUrl, ...names });
  await greedy.next();
  greedy.send({ typeUrl, resourceNamesSubscribe: ["*"] });
  assertEquals(await greedy.status, {
    code: PERMISSION_DENIED,
    details: 'node "edge-1" may not have Secret [*]',
  });
  assertEquals(greedy.waiting, 0);

  beside.send({
    typeUrl,
    responseNonce: kept.nonce,
    resourceNames: ["edge-1/key", "edge-1/none"],
  });
  // Of a secret that does not exist nothing is said, and the stream goes on.
  beside.send({ typeUrl: TypeUrl.Cluster });
  assertEquals((await beside.next()).typeUrl, TypeUrl.Cluster);
  assertEquals(asked.at(-2), "edge-1/key,edge-1/none new edge-1/none");
  beside.cancel();
});

test("requests wait behind a decision, in their order, and nothing is sent", async (way) => {
  const decisions: { typeUrl: string; allow: (allowed: boolean) => void }[] =
    [];
  const sent: string[] = [];
  let requests = 0;
  await using server = await listen(way, {
    cache: cacheFor("edge-1"),
    authorize: ({ typeUrl }) =>
      new Promise<boolean>((allow) => decisions.push({ typeUrl, allow })),
    observer: (event) => {
      if (event.kind === "request") requests++;
      if (event.kind === "send") sent.push(event.typeUrl);
    },
  });
  using client = withToken(server.port);
  const stream = client.sotw();
  const decided = async (n: number) => {
    await until(`decision ${n}`, () => decisions.length === n);
    return decisions[n - 1];
  };
  stream.send({ node: edge1, typeUrl: TypeUrl.Cluster });
  (await decided(1)).allow(true);
  const first = await stream.next();

  stream.send({ typeUrl: TypeUrl.Secret, resourceNames: ["edge-1/key"] });
  stream.send({ typeUrl: TypeUrl.Listener });
  // Cluster would be answered at once, were it not for those before.
  stream.send({
    typeUrl: TypeUrl.Cluster,
    responseNonce: first.nonce,
    resourceNames: ["cluster-of-edge-1", "none"],
  });
  await until("all requests", () => requests === 4);
  assertEquals(decisions.length, 2);
  assertEquals(sent, [TypeUrl.Cluster]);
  (await decided(2)).allow(true);
  (await decided(3)).allow(true);
  const last = await decided(4);
  assertEquals(decisions.map(({ typeUrl }) => typeUrl), [
    TypeUrl.Cluster,
    TypeUrl.Secret,
    TypeUrl.Listener,
    TypeUrl.Cluster,
  ]);
  assertEquals(sent, [TypeUrl.Cluster]);
  last.allow(true);
  const types = new Set<string>();
  for (let i = 0; i < 3; i++) types.add((await stream.next()).typeUrl);
  assertEquals(types.size, 3);
  stream.cancel();
});

test("no more than some requests wait for a decision", async (way) => {
  await using server = await listen(way, {
    cache: cacheFor("edge-1"),
    authorize: () => new Promise<boolean>(() => {}),
  });
  using client = withToken(server.port);
  const stream = client.sotw();
  for (let i = 0; i < 300; i++) {
    stream.send({ node: edge1, typeUrl: TypeUrl.Cluster });
  }
  assertEquals(await stream.status, {
    code: RESOURCE_EXHAUSTED,
    details:
      "more than 256 requests came before it was decided whether the client may make them; send fewer at once",
  });
});

test("a stream that ends aborts what is being decided of it", async (way) => {
  const signals: AbortSignal[] = [];
  await using server = await listen(way, {
    cache: cacheFor("edge-1"),
    authenticate: (_peer, headers, { signal }) => {
      if (headers.get("authorization") !== null) return "somebody";
      signals.push(signal);
      return new Promise<string>(() => {});
    },
    authorize: ({ signal }) => {
      signals.push(signal);
      return new Promise<boolean>(() => {});
    },
  });
  for (const token of [undefined, "any"]) {
    using client = withToken(server.port, token);
    const stream = client.sotw();
    stream.send({ node: edge1, typeUrl: TypeUrl.Cluster });
    const signal = await until("a call", () => signals.pop());
    assert(!signal.aborted);
    stream.cancel();
    await until("its end", () => signal.aborted);
  }
});

test("only true lets a request pass", async (way) => {
  const causes: unknown[] = [];
  const answers: [name: string, answer: () => unknown, status: number][] = [
    ["undefined", () => undefined, PERMISSION_DENIED],
    ["an object", () => ({}), PERMISSION_DENIED],
    ["a promise of undefined", () => Promise.resolve(), PERMISSION_DENIED],
    ["a bug", () => {
      throw new Error("the password is 1234");
    }, PERMISSION_DENIED],
    ["a rejection", () => Promise.reject(new Error("1234")), PERMISSION_DENIED],
    ["a status", () => {
      throw new RequestError("not_found", "there is no such group");
    }, NOT_FOUND],
  ];
  await using server = await listen(way, {
    cache: cacheFor("edge-1"),
    authorize: ({ node }) =>
      answers.find(([name]) => name === node.id)![1]() as boolean,
    observer: (event) => {
      if (event.kind === "refuse") causes.push(event.error.cause);
    },
  });
  using client = withToken(server.port);
  for (const [id, , code] of answers) {
    const stream = client.sotw();
    stream.send({ node: { id }, typeUrl: TypeUrl.Cluster });
    const details = code === NOT_FOUND
      ? "there is no such group"
      : `node ${JSON.stringify(id)} may not have Cluster [*]`;
    assertEquals(await stream.status, { code, details });
  }
  assertEquals(causes.map((cause) => (cause as Error | undefined)?.message), [
    undefined,
    undefined,
    undefined,
    "the password is 1234",
    "1234",
    "there is no such group",
  ]);
});

test("a cache may go by the identity, whatever the node says", async (way) => {
  const cache = new SnapshotCache({
    nodeKey: (_node, _peer, identity) => String(identity),
  });
  for (const id of ["edge-1", "edge-2"]) {
    const cluster = create(ClusterSchema, { name: `cluster-of-${id}` });
    cache.set(id, createSnapshot({ version: id, resources: [cluster] }));
  }
  await using server = await listen(way, { cache, authenticate: tokens });
  using client = withToken(server.port, "token-of-edge-2");
  const stream = client.sotw();
  stream.send({ node: edge1, typeUrl: TypeUrl.Cluster });
  assertEquals((await stream.next()).versionInfo, "edge-2");
  assertEquals(cache.status("edge-2")[0].client.identity, "edge-2");
  stream.cancel();
});

Deno.test("a path with a query is served with the same peer and access", async () => {
  await using server = await listen("serve", {
    cache: cacheFor("edge-1"),
    clientCertificates: true,
    authenticate: nodeInCertificate,
    authorize: isItself,
  });
  using client = withCertificate(server.port, "client");
  const path =
    "/envoy.service.cluster.v3.ClusterDiscoveryService/StreamClusters?x=1";
  const stream = client.sotw(path);
  stream.send({ node: edge1 });
  assertEquals((await stream.next()).resources.length, 1);
  stream.cancel();
  const forged = client.sotw(path);
  forged.send({ node: edge2 });
  assertEquals((await forged.status).code, PERMISSION_DENIED);
});
