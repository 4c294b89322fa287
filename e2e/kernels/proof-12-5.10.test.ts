import { describeKernel } from './kernel-suite.ts';

describeKernel('5.10');
