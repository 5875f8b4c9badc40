/**
 * The configurations of `cases/`, on a real Envoy, in both protocols. The first line of each file states the expected
 * result; the test is named after it.
 */
import { assert, assertEquals } from "@std/assert";
import { type Settlement, TypeUrl } from "../../mod.ts";
import { pem } from "../support/certs.ts";
import { get } from "../support/http.ts";
import { until } from "../support/until.ts";
import { Upstream } from "../support/upstream.ts";
import { type Case, loadCase } from "./_cases.ts";
import { PROMPT, PROTOCOLS, Scene } from "./_scene.ts";

/** What to do with a case, and what to assert. */
type Run = (scene: Scene, given: Case) => Promise<void>;

const CASES: Record<string, Run> = {
  "api-listener-beside": async (scene) => {
    assertAccepted(await scene.starts(), true);
    assertEquals(await ask(scene, "web"), 200);
  },
  "cluster-of-the-bootstrap-too": async (scene) => {
    assertAccepted(await scene.starts(), true);
    const asked = scene.log.events.flatMap((event) =>
      event.kind === "subscribe" &&
        event.typeUrl === TypeUrl.ClusterLoadAssignment
        ? [...event.subscription.names]
        : []
    );
    assert(!asked.includes("shared"), `Envoy requested ${asked}`);
  },
  "ecds-with-secrets-and-back": through("a", "b", "a", "c", "a"),
  "last-eds-cluster-goes": through("a", "b", "c"),
  "last-secret-goes": through("a", "b", "c"),
  "listener-nacked-secrets-some": async (scene) => {
    assertAccepted(await scene.starts(), false);
    const sent = scene.log.sent(TypeUrl.Secret);
    assert(!sent.includes("other"), `secrets sent: ${sent}`);
  },
  "one-bad-secret-of-three": async (scene) => {
    assertAccepted(await scene.starts(), false);
    for (const name of ["l1", "l3"]) {
      assertEquals(await ask(scene, name, true), 200);
    }
  },
  "nacked-cluster-and-other-listener": servesGood,
  "nacked-cluster-and-other-routes": servesGood,
  "nacked-secret-sent-again": async (scene) => {
    assertAccepted(await scene.starts(), false);
    const sent = scene.log.sent(TypeUrl.Secret);
    assertEquals(sent.filter((name) => name === "bad-ca").length, 1);
    assert(sent.includes("web-cert"));
  },
  "sds-of-static-and-eds-cluster": async (scene) => {
    assertAccepted(await scene.starts(), true);
  },
};

/** A run through some snapshots, each of which settles at once. */
function through(...names: string[]): Run {
  return async (scene, { snapshots }) => {
    assertAccepted(await scene.starts(), true);
    for (const name of names.slice(1)) {
      scene.log.note(`next: ${name}`);
      scene.set(snapshots[name]);
      assertAccepted(await scene.settles(), true);
    }
  };
}

async function servesGood(scene: Scene) {
  await scene.envoy.live(5_000);
  assertEquals(await ask(scene, "good"), 200);
  assertAccepted(await scene.settles(), false);
}

function assertAccepted({ accepted, clients }: Settlement, expected: boolean) {
  assertEquals(clients.length, 1);
  assertEquals(accepted, expected);
}

/** The status of a request through a listener. */
async function ask({ envoy }: Scene, listener: string, tls = false) {
  const port = await until(
    `listener ${listener}`,
    () => envoy.port(listener),
    PROMPT,
  );
  return (await get(port, tls ? { ca: pem("ca.pem") } : {})).status;
}

for (const [name, run] of Object.entries(CASES)) {
  for (const { delta, protocol } of PROTOCOLS) {
    Deno.test(`case ${name}, ${protocol}`, async () => {
      await using upstream = new Upstream("upstream");
      const given = await loadCase(name, upstream.port);
      const { staticClusters } = given;
      const snapshot = given.snapshots.only ?? given.snapshots.a;
      assertEquals(snapshot.check(), []);
      await using scene = await Scene.start({
        delta,
        snapshot,
        staticClusters,
      });
      await scene.log.explain(() => run(scene, given));
    });
  }
}

Deno.test("every file of cases/ is tested", () => {
  const files = [...Deno.readDirSync(`${import.meta.dirname}/cases`)];
  assertEquals(
    files.map(({ name }) => name.replace(/\.yaml$/, "")).sort(),
    Object.keys(CASES).sort(),
  );
});
