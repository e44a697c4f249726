import { defineConfig } from 'rolldown';

/**
 * One file for the image: node_modules would be 104 MB, and reading them costs a second at each start. It is not minified,
 * so that a stack trace can be read; packages of CommonJS find `require` where they look for it.
 */
export default defineConfig({
  input: 'src/main.ts',
  platform: 'node',
  output: {
    file: 'dist/drydock.mjs',
    format: 'esm',
    minify: false,
    codeSplitting: false,
    banner:
      "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);",
  },
});
