import { describeKernel } from './kernel-suite.ts';

describeKernel('7.x');
