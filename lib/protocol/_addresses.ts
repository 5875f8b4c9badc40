import { Resource } from "../resource/mod.ts";
import { eachField, Wire } from "../resource/_wire.ts";
import { isPassing, type Reason, type Restraint } from "./_restraint.ts";
import type { TypeState } from "./type_state.ts";

/** Fields of a `Listener`, an `Address` and a `SocketAddress`. */
const ADDRESS = 2;
const SOCKET_ADDRESS = 1;
const PORT_VALUE = 3;

const latin1 = new TextDecoder("latin1");
const addresses = new WeakMap<Resource, string>();

/** The address of a listener, as bytes in a string; empty if it has none, or if the system picks the port. */
function addressOf(listener: Resource): string {
  let address = addresses.get(listener);
  if (address === undefined) {
    const { bytes } = listener;
    const part = fieldOf(bytes, ADDRESS);
    const socket = part && fieldOf(part, SOCKET_ADDRESS);
    const isOwn = part && (!socket || hasPort(socket));
    address = isOwn ? latin1.decode(part) : "";
    addresses.set(listener, address);
  }
  return address;
}

function fieldOf(bytes: Uint8Array, number: number): Uint8Array | undefined {
  let found: Uint8Array | undefined;
  eachField(bytes, 0, bytes.length, (field) => {
    if (field.number !== number || field.wire !== Wire.Bytes) return;
    found = bytes.subarray(field.start, field.end);
  });
  return found;
}

function hasPort(socketAddress: Uint8Array): boolean {
  let port = 0;
  eachField(socketAddress, 0, socketAddress.length, (field) => {
    if (field.number === PORT_VALUE) port = field.value;
  });
  return port !== 0;
}

/**
 * Keeps changes of listeners together that concern one address: Envoy rejects a listener while another has its address, and
 * nobody listens there if the old one is removed before the new one comes.
 */
export function resolveAddresses(
  state: TypeState,
  restraint: Restraint,
): Restraint {
  const { allUpdates, update, allRemovals, removal } = restraint;
  if (!update && !allUpdates) return restraint;
  /** Addresses that are taken, or wanted, by what has to wait. */
  const waiting = new Map<string, Reason>();
  const updates = [...state.lacking()];
  const outdated = [...state.inUse()].filter((its) => its instanceof Resource);
  const own = (resource: Resource) => allUpdates ?? update?.(resource);
  const reasons = new Map(updates.map((its) => [its.name, own(its)]));
  const leaving = outdated.filter(({ name }) => !reasons.has(name));
  const note = (resource: Resource, reason: Reason) => {
    const address = addressOf(resource);
    if (address === "" || waiting.has(address)) return false;
    waiting.set(address, reason);
    return true;
  };
  // What replaces a listener may have another address, and so all that leave wait for what has to.
  const passing = allRemovals ??
    [...reasons.values()].find((reason) =>
      reason !== undefined && isPassing(reason)
    );
  if (passing) { for (const its of leaving) note(its, passing); }
  for (let grows = true; grows;) {
    grows = false;
    for (const resource of updates) {
      const reason = reasons.get(resource.name) ??
        waiting.get(addressOf(resource));
      if (!reason) continue;
      reasons.set(resource.name, reason);
      grows = note(resource, reason) || grows;
      const old = outdated.filter(({ name }) => name === resource.name);
      for (const its of old) grows = note(its, reason) || grows;
    }
  }
  const kept = new Map(
    leaving.map((its) => [its.name, waiting.get(addressOf(its))]),
  );
  return {
    ...restraint,
    update: (resource) => reasons.get(resource.name) ?? own(resource),
    allRemovals: passing,
    removal: (name) => kept.get(name) ?? removal?.(name),
  };
}
