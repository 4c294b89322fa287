import { describeKernel } from './kernel-suite.ts';

describeKernel('6.1');
