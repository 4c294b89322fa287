import { cacheFolder } from '../host/cache.ts';
import { step } from '../host/step.ts';
import { baseImages } from '../cluster/base-images.ts';
import { kubernetesBinaries } from '../cluster/kubernetes-binaries.ts';
import { fetchKernels, kernelNames } from '../vm/kernels.ts';
import { findProgram, installGoFromBackports, installPackages, isDebian12, versionOf } from './debian.ts';
import { atLeast, oldestCargo, oldestGo, requirements } from './requirements.ts';

/** Second half of set-up: packages, toolchains, Kubernetes, kernels. The first half is scripts/setup.sh. */
const searchPath = process.env['PATH'] ?? '';
const missing = requirements.filter((requirement) => findProgram(requirement.file, searchPath) === undefined);
const needsGo = !atLeast(await versionOf(['go', 'version']), oldestGo);
const needsCargo = !atLeast(await versionOf(['cargo', '--version']), oldestCargo) || findProgram('rustc', searchPath) === undefined;

if (!(await isDebian12()) && (missing.length > 0 || needsGo || needsCargo)) {
  const lines = missing.map((requirement) => `  ${requirement.file}  (${requirement.why}; Debian's package ${requirement.package})`);
  if (needsGo) lines.push(`  go ${oldestGo} or newer`);
  if (needsCargo) lines.push(`  cargo and rustc ${oldestCargo} or newer`);
  process.stderr.write(`This is not Debian 12, so nothing is installed for you. Missing:\n${lines.join('\n')}\n`);
  process.exit(1);
}
const packages = [...new Set([...missing.map((requirement) => requirement.package), ...(needsCargo ? ['rustc-web', 'cargo-web'] : [])])];
if (packages.length > 0) await step(`Debian packages: ${packages.join(' ')}`, () => installPackages(packages));
if (needsGo) await step('Go from bookworm-backports', installGoFromBackports);

const cache = cacheFolder(process.env);
await step('Kubernetes programs (built from source the first time: some minutes)', () => kubernetesBinaries(cache, process.env));
await step(`kernels ${kernelNames.join(', ')}`, () => fetchKernels(cache, kernelNames));
await step('base images', () => baseImages(cache));
