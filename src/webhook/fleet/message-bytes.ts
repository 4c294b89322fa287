import type { RawData } from 'ws';

/** A websocket message as one piece, whichever of its forms ws hands out. */
export function messageBytes(data: RawData): Buffer {
  if (Array.isArray(data)) {
    return Buffer.concat(data);
  }
  return Buffer.isBuffer(data) ? data : Buffer.from(new Uint8Array(data));
}
