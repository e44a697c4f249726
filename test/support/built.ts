import { join } from 'node:path';

const CACHE = join(import.meta.dirname, '../../node_modules/.cache/drydock');

/** The operator of the tests: the one file of the image, made anew before any test begins. */
export const OPERATOR = join(CACHE, 'drydock.mjs');

/** Where Node keeps what it compiled of the operator and its simulation, which the tests start a hundred times. */
export const COMPILED = join(CACHE, 'compiled');
