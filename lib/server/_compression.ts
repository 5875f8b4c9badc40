import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import type { Buffer } from "node:buffer";
import { promisify } from "node:util";
import * as zlib from "node:zlib";

/** The compressions that unary requests may come in, and their answers go out in. */
export const compressions: Compression[] = [
  compression(
    "gzip",
    promisify<Uint8Array, Buffer>(zlib.gzip),
    promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gunzip),
  ),
  compression(
    "br",
    promisify<Uint8Array, Buffer>(zlib.brotliCompress),
    promisify<Uint8Array, zlib.BrotliOptions, Buffer>(zlib.brotliDecompress),
  ),
];

function compression(
  name: string,
  compress: (bytes: Uint8Array) => Promise<Buffer>,
  decompress: (
    bytes: Uint8Array,
    options: { maxOutputLength: number },
  ) => Promise<Buffer>,
): Compression {
  return {
    name,
    compress: async (bytes) => new Uint8Array(await compress(bytes)),
    async decompress(bytes, readMaxBytes) {
      if (bytes.length === 0) return new Uint8Array();
      try {
        const options = { maxOutputLength: readMaxBytes };
        return new Uint8Array(await decompress(bytes, options));
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
