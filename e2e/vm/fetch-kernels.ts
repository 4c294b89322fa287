import { cacheFolder } from '../host/cache.ts';
import { fetchKernels, kernelNames } from './kernels.ts';

/** Fills the cache with all kernels: `node e2e/vm/fetch-kernels.ts`. */
for (const kernel of await fetchKernels(cacheFolder(process.env), kernelNames))
  process.stdout.write(`${kernel.name} ${kernel.release} ${kernel.image}\n`);
