import { killAtEveryWrite } from './kill-matrix.ts';

killAtEveryWrite('after', 'after it, so that its answer is lost');
