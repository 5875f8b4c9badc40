import { ConnectionError, ErrorCode } from "./errors.ts";
import { uint32 } from "./_frames.ts";

const HEADER_TABLE_SIZE = 0x1;
const ENABLE_PUSH = 0x2;
const INITIAL_WINDOW_SIZE = 0x4;
const MAX_FRAME_SIZE = 0x5;

/** Ids of settings that a server sends. */
export const MAX_CONCURRENT_STREAMS = 0x3;
export const MAX_HEADER_LIST_SIZE = 0x6;

/** Takes those settings of a client that make a difference to a server. */
export interface ClientSettings {
  tableSize(size: number): void;
  initialWindow(size: number): void;
  maxPayload(size: number): void;
}

/**
 * Reads the payload of SETTINGS.
 *
 * @throws {ConnectionError} for a value that may not be
 */
export function readSettings(
  bytes: Uint8Array,
  start: number,
  end: number,
  settings: ClientSettings,
) {
  if ((end - start) % 6 !== 0) {
    throw new ConnectionError(
      ErrorCode.FrameSizeError,
      `SETTINGS of ${end - start} bytes, which is no multiple of 6`,
    );
  }
  // The last counts. Each would concern all streams, and there may be thousands in a frame.
  let window: number | undefined;
  for (let at = start; at < end; at += 6) {
    const id = bytes[at] << 8 | bytes[at + 1];
    const value = uint32(bytes, at + 2);
    if (id === HEADER_TABLE_SIZE) settings.tableSize(value);
    else if (id === ENABLE_PUSH) {
      if (value > 1) throw invalid("ENABLE_PUSH", value);
    } else if (id === INITIAL_WINDOW_SIZE) {
      if (value > 0x7fff_ffff) {
        throw invalid(
          "INITIAL_WINDOW_SIZE",
          value,
          ErrorCode.FlowControlError,
        );
      }
      window = value;
    } else if (id === MAX_FRAME_SIZE) {
      if (value < 16_384 || value > 0xff_ffff) {
        throw invalid("MAX_FRAME_SIZE", value);
      }
      settings.maxPayload(value);
    }
  }
  if (window !== undefined) settings.initialWindow(window);
}

function invalid(
  name: string,
  value: number,
  code: ErrorCode = ErrorCode.ProtocolError,
): ConnectionError {
  return new ConnectionError(code, `SETTINGS_${name} may not be ${value}`);
}
