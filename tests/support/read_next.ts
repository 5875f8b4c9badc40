import type { TestClient, TestResponse } from "../../lib/testing/mod.ts";
import { until } from "./until.ts";

/** The next response to a client: `TestClient.next`, for tests that run in Node 20 too, where that does not. */
export async function readNext(client: TestClient): Promise<TestResponse> {
  const [response, ...more] = await until("a response", () => {
    const responses = client.read();
    return responses.length > 0 && responses;
  });
  if (more.length > 0) throw new Error(`${more.length} more came with it`);
  return response;
}
