import { parseArgs } from 'node:util';
import { measureCluster } from './cluster-figures.ts';
import { measureEngineCost } from './engine-cost.ts';

/** `make bench`: prints figures of the engine and of the cluster. `--only engine` or `--only cluster` runs a part. */
const { values } = parseArgs({ options: { only: { type: 'string' } } });
if (values.only !== 'cluster') await measureEngineCost();
if (values.only !== 'engine') await measureCluster(process.env);
process.exit();
