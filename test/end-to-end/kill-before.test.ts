import { killAtEveryWrite } from './kill-matrix.ts';

killAtEveryWrite('before', 'before it, so that it lands late');
