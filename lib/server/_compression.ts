import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import type { Buffer } from "node:buffer";
import { promisify } from "node:util";

/** Loaded by the first that is compressed: few are, and it takes a part of the time that a server takes to start. */
const zlib = () => import("node:zlib");

/** The compressions that unary requests may come in, and their answers go out in. */
export const compressions: Compression[] = [
  compression("gzip", async () => {
    const { gzip, gunzip } = await zlib();
    return [gzip, gunzip];
  }),
  compression("br", async () => {
    const { brotliCompress, brotliDecompress } = await zlib();
    return [brotliCompress, brotliDecompress];
  }),
];

type Done = (error: Error | null, bytes: Buffer) => void;
type Algorithm = readonly [
  compress: (bytes: Uint8Array, done: Done) => void,
  decompress: (
    bytes: Uint8Array,
    options: { maxOutputLength: number },
    done: Done,
  ) => void,
];

function compression(
  name: string,
  load: () => Promise<Algorithm>,
): Compression {
  return {
    name,
    async compress(bytes) {
      const [compress] = await load();
      return new Uint8Array(await promisify(compress)(bytes));
    },
    async decompress(bytes, readMaxBytes) {
      if (bytes.length === 0) return new Uint8Array();
      try {
        const options = { maxOutputLength: readMaxBytes };
        const [, decompress] = await load();
        return new Uint8Array(await promisify(decompress)(bytes, options));
      } catch (cause) {
        const { code, message } = cause as Error & { code?: string };
        const isLarge = code === "ERR_BUFFER_TOO_LARGE";
        throw new ConnectError(
          isLarge
            ? `a message is larger than ${readMaxBytes} bytes when it is decompressed`
            : `a message cannot be decompressed: ${message}`,
          isLarge ? Code.ResourceExhausted : Code.InvalidArgument,
          undefined,
          undefined,
          cause,
        );
      }
    },
  };
}
