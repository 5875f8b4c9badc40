import { readFileSync } from "node:fs";
import { getHeapStatistics } from "node:v8";

const LIMITS = "/proc/self/limits";

/** What there is on any Linux, where it is not known: Deno raises the limit to what the system allows. */
const UNKNOWN_FILES = 4_096;

/** Files that are open beside connections to clients, at least, and for each that may be open. */
const OTHER_FILES = 64;
const OTHER_SHARE = 0.1;

/** Connections that Deno accepts before it tells of the first, so that they can be cut. */
const ACCEPTED_AT_ONCE = 128;

const MIB = 1024 * 1024;
const MOST_MEMORY = 1024 * MIB;

/** A quarter of what the heap may grow to, for what is held on behalf of clients. */
export function clientMemory(): number {
  const { heap_size_limit: heap } = getHeapStatistics();
  return Math.min(MOST_MEMORY, Math.floor(heap / 4));
}

/** How many connections there may be by the files that the process may have open, with some left for everything else. */
export function connectionLimit(): number {
  const files = openFiles() ?? UNKNOWN_FILES;
  const others = Math.max(OTHER_FILES, Math.ceil(files * OTHER_SHARE));
  return Math.max(1, files - others - ACCEPTED_AT_ONCE);
}

/**
 * How many files the process may have open (`ulimit -n`); undefined where that is not known. Deno 2.9 reads the file with
 * `--allow-all` alone.
 */
function openFiles(): number | undefined {
  if (!mayRead(LIMITS)) return undefined;
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(
      readFileSync(LIMITS, "utf8"),
    ) ?? [];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}

/** Whether a file may be read without anybody being asked: Deno would stop to ask on a terminal. */
function mayRead(path: string): boolean {
  const { Deno } = globalThis as {
    Deno?: {
      permissions?: {
        querySync?(what: { name: "read"; path: string }): { state: string };
      };
    };
  };
  const query = Deno?.permissions?.querySync;
  if (!query) return true;
  return query.call(Deno.permissions, { name: "read", path }).state ===
    "granted";
}
