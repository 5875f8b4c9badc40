import { assertEquals, assertThrows } from "@std/assert";
import { X509Certificate } from "node:crypto";
import { subjectAltNames } from "../../lib/server/_alt_names.ts";
import { pem } from "../support/certs.ts";

const der = (file: string) =>
  new Uint8Array(new X509Certificate(pem(file)).raw);

Deno.test("a certificate's alternative names are read one by one", () => {
  assertEquals(subjectAltNames(der("client.pem")), [
    "URI:spiffe://test/edge-1",
    "DNS:edge-1",
  ]);
  assertEquals(subjectAltNames(der("server.pem")), [
    "DNS:localhost",
    "IP Address:127.0.0.1",
  ]);
  assertEquals(subjectAltNames(der("ca.pem")), []);
});

Deno.test("a certificate that is cut off, or none, is an error", () => {
  const bytes = der("client.pem");
  for (let length = 0; length < bytes.length; length++) {
    assertThrows(() => subjectAltNames(bytes.subarray(0, length)), RangeError);
  }
  assertThrows(
    () => subjectAltNames(new Uint8Array(64).fill(0xff)),
    RangeError,
  );
});

Deno.test("no byte that is changed makes a certificate hang or fail otherwise", () => {
  const bytes = der("comma-client.pem");
  for (let at = 0; at < bytes.length; at++) {
    for (const value of [0x00, 0x7f, 0x80, 0x84, 0xff]) {
      const changed = bytes.slice();
      changed[at] = value;
      try {
        subjectAltNames(changed);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
      }
    }
  }
});
