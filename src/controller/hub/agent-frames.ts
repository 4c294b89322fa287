import { z } from 'zod';
import { decodeHubBinary } from '../../protocol/hub-binary.ts';
import { type AgentFrame, agentFrameSchema, HUB_CLOSE, HUB_PROTOCOL_VERSION, type Hello } from '../../protocol/hub-frames.ts';
import { kernelBuildOf } from '../../protocol/kernel-build.ts';
import type { AgentIdentity } from './identity.ts';

/** Why a hello ends the connection. */
export type HelloRefusal = { readonly code: number; readonly reason: string; readonly label: string };

/** Null: welcome. */
export function refusalOf(hello: Hello, identity: AgentIdentity): HelloRefusal | null {
  if (hello.protocol.min > HUB_PROTOCOL_VERSION || hello.protocol.max < HUB_PROTOCOL_VERSION) {
    return { code: HUB_CLOSE.version, reason: `this hub speaks protocol ${HUB_PROTOCOL_VERSION}`, label: 'version' };
  }
  if (hello.node !== identity.node) {
    return { code: HUB_CLOSE.malformed, reason: `the token is for node ${identity.node}`, label: 'impostor' };
  }
  if (kernelBuildOf({ ...hello.kernel, facts: hello.facts }) !== hello.kernel.build) {
    return { code: HUB_CLOSE.malformed, reason: 'kernel.build is not the digest of the kernel and its facts', label: 'malformed' };
  }
  return null;
}

/** The frame, or what is wrong with it. */
export function readFrame(data: string): AgentFrame | string {
  try {
    const result = agentFrameSchema.safeParse(JSON.parse(data));
    return result.success ? result.data : z.prettifyError(result.error).slice(0, 100);
  } catch {
    return 'not JSON';
  }
}

/** The JSON text of the names; null where the frame is no catalogue of this build. */
export function readCatalogue(data: Buffer, build: string): string | null {
  try {
    const frame = decodeHubBinary(data);
    return frame.kind === 'catalogue' && frame.build === build ? frame.text : null;
  } catch {
    return null;
  }
}
