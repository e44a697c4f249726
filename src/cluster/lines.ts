const NEWLINE = 0x0a;

/** Cuts a stream of bytes into lines. Bytes, because a chunk may end inside a character. */
export interface Lines {
  /** The lines that a chunk completes; what it begins waits for the next. */
  push(chunk: Uint8Array): readonly string[];
}

/** Makes a cutter for one stream. The rest of a stream that broke off inside a line is never given out. */
export function lines(): Lines {
  let begun: Uint8Array[] = [];
  return {
    push: (chunk) => {
      const whole: string[] = [];
      let from = 0;
      for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
        begun.push(chunk.subarray(from, at));
        whole.push(Buffer.concat(begun).toString('utf8'));
        begun = [];
        from = at + 1;
      }
      if (from < chunk.length) begun.push(chunk.subarray(from));
      return whole;
    },
  };
}
