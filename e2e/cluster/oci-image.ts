import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { runCommand } from '../host/command.ts';

/** An image to pack: folders that lie over each other, the lowest first. */
export type ImageSpec = {
  /** As `localhost/palisade:dev`. */
  readonly reference: string;
  readonly layers: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly env?: readonly string[];
};

type Descriptor = { readonly mediaType: string; readonly digest: string; readonly size: number };

const searchPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The same bytes for the same files: sorted, owned by root, without times. Layers are not compressed: emulation is slow. */
async function tar(output: string, folder: string, names: readonly string[]): Promise<void> {
  await runCommand([
    'tar',
    '--sort=name',
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    '--mtime=@0',
    '--format=gnu',
    '-cf',
    output,
    '-C',
    folder,
    ...names,
  ]);
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Packs an image into an archive that `ctr images import` and skopeo read. */
export async function packImage(spec: ImageSpec, archive: string): Promise<void> {
  const scratch = await mkdtemp(`${archive}.parts-`);
  try {
    const blobs = path.join(scratch, 'blobs/sha256');
    await mkdir(blobs, { recursive: true });
    const addBlob = async (mediaType: string, value: object): Promise<Descriptor> => {
      const bytes = Buffer.from(JSON.stringify(value));
      const digest = digestOf(bytes);
      await writeFile(path.join(blobs, digest.slice(7)), bytes);
      return { mediaType: `application/vnd.oci.image.${mediaType}`, digest, size: bytes.length };
    };
    const layers: Descriptor[] = [];
    for (const [index, folder] of spec.layers.entries()) {
      const file = path.join(scratch, `layer-${index}`);
      await tar(file, folder, ['.']);
      const hash = createHash('sha256');
      await pipeline(createReadStream(file), hash);
      const digest = hash.digest('hex');
      layers.push({ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: `sha256:${digest}`, size: (await stat(file)).size });
      await rename(file, path.join(blobs, digest));
    }
    const config = await addBlob('config.v1+json', {
      architecture: 'amd64',
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.digest) },
      config: { Env: [searchPath, ...(spec.env ?? [])], Entrypoint: spec.entrypoint ?? [], Cmd: spec.command ?? [] },
    });
    const manifest = await addBlob('manifest.v1+json', {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config,
      layers,
    });
    const annotations = { 'io.containerd.image.name': spec.reference, 'org.opencontainers.image.ref.name': spec.reference };
    const entry = { ...manifest, platform: { architecture: 'amd64', os: 'linux' }, annotations };
    await writeFile(path.join(scratch, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
    await writeFile(path.join(scratch, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
    await tar(archive, scratch, ['oci-layout', 'index.json', 'blobs']);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
