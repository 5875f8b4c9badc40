/** What may go wrong beside clients' requests: callers, observers, clocks, groups that empty. */
import { type Observer, OnDemandCache, TypeUrl } from "../../mod.ts";
import { discoveryMethods } from "../../lib/server/_streams.ts";
import { FakeClock } from "../support/clock.ts";
import { RudeClient, subscriptions } from "./_rude_client.ts";
import { type MakeFault, node, Scene, subscribe } from "./_scene.ts";

const DAY = 86_400_000;

function observing(observer: Observer): MakeFault {
  return (_, protocol) => {
    const scene = new Scene({ observer });
    return () => {
      using client = scene.open(protocol);
      subscribe(client);
      for (const { typeUrl, nonce } of client.read()) {
        client.say({ typeUrl, nonce, error: "no" });
      }
      scene.change();
    };
  };
}

export const others: Readonly<Record<string, MakeFault>> = {
  "an observer throws": observing(() => {
    throw new Error("from an observer");
  }),

  "an observer rejects": observing(
    (async () => {
      await undefined;
      throw new Error("from an observer");
    }) as () => unknown as Observer,
  ),

  "the clock is set forward and back a day": (_, protocol) => {
    const clock = new FakeClock(1e12);
    const scene = new Scene({ cache: { clock, drain: 1_000 }, ttl: 60_000 });
    return () => {
      using client = scene.open(protocol);
      subscribe(client);
      for (const ms of [DAY, -DAY, -DAY, DAY, 30_000]) {
        client.read();
        clock.set(clock.now() + ms);
        // A day of heartbeats is one that is late.
        const sent = client.read().length;
        if (sent > subscriptions.length) {
          throw new Error(`${sent} responses for one leap of the clock`);
        }
      }
      scene.change();
      if (clock.pending > 3) throw new Error(`${clock.pending} timers wait`);
    };
  },

  "those leave to whom a rollout went first": (_, protocol) => {
    const cache = { rollout: { canary: 0.5 }, nodeKey: () => node.id };
    const scene = new Scene({ cache, honest: false });
    return () => {
      const first = [1, 2].map((i) => {
        const client = scene.open(protocol);
        subscribe(client, { id: `canary-${i}` });
        return client;
      });
      using last = scene.open(protocol);
      subscribe(last, { id: "last" });
      const versionOfLast = () =>
        last.answer().findLast(({ typeUrl }) => typeUrl === TypeUrl.Cluster)
          ?.version;
      versionOfLast();
      scene.set();
      for (const client of first) client[Symbol.dispose]();
      const newest = scene.cache.get(node.id)!.version(TypeUrl.Cluster);
      const version = versionOfLast();
      if (version !== newest) {
        throw new Error(`the last has ${version}, not ${newest}`);
      }
    };
  },

  "strangers ask for other names of what never changes": (_, protocol) => {
    const scene = new Scene({ honest: false });
    const typeUrl = TypeUrl.ClusterLoadAssignment;
    let asked = 0;
    // More, before anything is measured, than what is kept in mind of a view.
    const times = 250;
    const misbehave = () => {
      for (let i = 0; i < times; i++) {
        using client = scene.open(protocol);
        client.say({ node, typeUrl, names: ["a", `stranger-${++asked}`] });
        client.read();
      }
    };
    return Object.assign(misbehave, { times });
  },

  "strangers ask on demand for names and types that they make up": (
    _,
    protocol,
  ) => {
    const cache = new OnDemandCache(() => undefined, { idleNames: 2 });
    const methods = discoveryMethods({ cache });
    // More, before anything is measured, than what a view keeps in mind.
    const times = 300;
    let asked = 0;
    let last: RudeClient[] = [];
    const ask = () => {
      const client = new RudeClient(methods, protocol);
      const typeUrl = ++asked % 10 === 0
        ? `example.com/type-${asked}`
        : TypeUrl.VirtualHost;
      client.say({ node, typeUrl, names: [`stranger-${asked}`] });
      return client;
    };
    const misbehave = () => {
      for (const client of last) {
        // What it asked for was found meanwhile.
        if (client.read().length !== 1) throw new Error("it was not answered");
        client[Symbol.dispose]();
      }
      last = Array.from({ length: times }, ask);
    };
    return Object.assign(misbehave, { times });
  },

  "a caller sets a thousand snapshots at once": (scene, protocol) => {
    const client = scene.open(protocol);
    subscribe(client);
    return () => {
      client.answer();
      for (let i = 0; i < 1_000; i++) scene.set();
      const { length } = client.answer();
      // Clusters and endpoints, once each.
      if (length !== 2) throw new Error(`${length} responses, not 2`);
      scene.arrive();
    };
  },
};
