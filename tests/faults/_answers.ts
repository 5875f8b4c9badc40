/** What a client may do wrong with its requests and answers, again and again. */
import { type Protocol, TypeUrl } from "../../mod.ts";
import {
  accepting,
  type Request,
  type RudeClient,
  type Said,
} from "./_rude_client.ts";
import { type MakeFault, node, subscribe } from "./_scene.ts";

/** One client that stays, and one more each time that leaves at once, answer what they are sent, or do not, in some way. */
function answering(
  answer: (client: RudeClient, said: Said) => void,
): MakeFault {
  return (scene, protocol) => {
    const misbehave = (client: RudeClient) => {
      for (const said of client.read()) answer(client, said);
    };
    const stays = scene.open(protocol);
    subscribe(stays);
    return () => {
      misbehave(stays);
      using leaves = scene.open(protocol);
      subscribe(leaves);
      misbehave(leaves);
      // It may have brought about more.
      misbehave(leaves);
    };
  };
}

/** One client asks, again and again, on a stream that stays, and answers as it should. */
function asking(
  ask: (
    protocol: Protocol,
    round: number,
  ) => Iterable<Omit<Request, "typeUrl">>,
): MakeFault {
  return (scene, protocol) => {
    const client = scene.open(protocol);
    subscribe(client);
    let round = 0;
    return () => {
      for (const request of ask(protocol, round++)) {
        client.say({ typeUrl: TypeUrl.Cluster, ...request });
        for (const said of client.read()) {
          client.say(accepting(said, client.protocol));
        }
      }
      if (client.ended) throw client.ended;
    };
  };
}

let forged = 0;

export const answers: Readonly<Record<string, MakeFault>> = {
  "never answers": answering(() => {}),

  "answers what it was not sent": answering((client, said) => {
    const other = said.typeUrl === TypeUrl.Cluster
      ? TypeUrl.Listener
      : TypeUrl.Cluster;
    const wrong = [
      { nonce: `${++forged}00000` },
      { nonce: `forged-${++forged}` },
      { typeUrl: other },
      { nonce: "" },
      { version: `forged-${++forged}` },
    ];
    for (const part of wrong) {
      client.say({ ...accepting(said, client.protocol), ...part });
    }
  }),

  "refuses everything": answering((client, said) => {
    client.say({
      ...accepting(said, client.protocol),
      version: "",
      error: `a: refused for the ${++forged}th time`,
    });
  }),

  "refuses everything in parts": answering((client, said) => {
    const error = `resource index 0: refused for the ${++forged}th time`;
    client.say({ ...accepting(said, client.protocol), error });
  }),

  "asks for other names each time": asking(function* (protocol, round) {
    const before = `stranger-${round - 1}`;
    const names = [`stranger-${round}`];
    yield protocol === "sotw"
      ? { names }
      : { names, unsubscribe: round > 0 ? [before] : [] };
  }),

  "asks for other names beside all each time": asking(
    function* (protocol, round) {
      const before = `stranger-${round - 1}`;
      const names = ["*", `stranger-${round}`];
      yield protocol === "sotw"
        ? { names }
        : { names, unsubscribe: round > 0 ? [before] : [] };
    },
  ),

  "asks for other collections each time": asking(function* (protocol, round) {
    const collection = (round: number) =>
      `xdstp://stranger-${round}/envoy.config.cluster.v3.Cluster/*`;
    const names = [collection(round)];
    yield protocol === "sotw"
      ? { names }
      : { names, unsubscribe: round > 0 ? [collection(round - 1)] : [] };
  }),

  "asks for types that it makes up": (scene, protocol) => () => {
    using client = scene.open(protocol);
    for (let i = 0; !client.ended; i++) {
      if (i > 100) throw new Error("it should have been turned away");
      client.say({ node, typeUrl: `example.com/type-${++forged}`, names: [] });
    }
  },

  "is another node each time": asking(function* (_, round) {
    yield { node: { id: `node-${round}` }, names: [] };
    yield { node, names: [] };
  }),

  "is a node that nobody knows each time": (scene, protocol) => {
    let round = 0;
    return () => {
      using client = scene.open(protocol);
      subscribe(client, { id: `stranger-${round++}` });
      client.read();
    };
  },

  "sends what is no request": (scene, protocol) => () => {
    using client = scene.open(protocol);
    subscribe(client);
    client.sayBytes(new Uint8Array([0xff, 0xff, 0xff]));
    if (!client.ended) throw new Error("it should have been turned away");
  },
};
