import { stripVTControlCharacters as bare, styleText } from 'node:util';
import { type Paint, type Size, wrap } from './screen.ts';

/** The part of a stream that is needed; a terminal has a width. */
export type Output = {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
};

/** Where the demo writes: lines that stay, and on a real terminal below them a few that are drawn again and again. */
export type Terminal = {
  /** Whether there is a live part. */
  readonly live: boolean;
  readonly paint: Paint;
  size(): Size;
  /** A line that stays. On a terminal it is broken between words, and goes on below its text, not below its head. */
  say(text?: string, head?: string): void;
  /** Draws the live part anew; does nothing where there is none. */
  show(lines: readonly string[]): void;
  /** Leaves the live part as it stands, and gives the cursor back. */
  leave(): void;
};

const HIDE = '\u001b[?25l';
const REVEAL = '\u001b[?25h';
/** Between these a terminal that knows them shows nothing, so that it does not flicker. */
const BEGIN = '\u001b[?2026h';
const END = '\u001b[?2026l';
const CLEAR_LINE = '\u001b[2K';
const CLEAR_BELOW = '\u001b[J';

/** Opens a terminal on a stream; NO_COLOR and TERM are respected. */
export function openTerminal(output: Output, env: Readonly<Record<string, string | undefined>>): Terminal {
  const live = output.isTTY === true && env['TERM'] !== 'dumb';
  const colours = live && !env['NO_COLOR'];
  const paint: Paint = (style, text) => (colours ? styleText(style, text, { validateStream: false }) : text);
  const size = () => ({ columns: output.columns ?? 80, rows: output.rows ?? 24 });
  let shown: readonly string[] = [];
  let hidden = false;

  /** The rows that the live part takes, also after the terminal has become narrower. */
  const height = () => {
    const { columns } = size();
    return shown.reduce((sum, line) => sum + Math.max(1, Math.ceil(bare(line).length / columns)), 0);
  };
  const up = () => (shown.length === 0 ? '' : `\u001b[${height()}A\r`);
  const draw = (lines: readonly string[], above: readonly string[] = []) => {
    const text = [...above, ...lines].map((line) => `${CLEAR_LINE}${line}\n`).join('');
    output.write(`${BEGIN}${hidden ? '' : HIDE}${up()}${text}${CLEAR_BELOW}${END}`);
    hidden = true;
    shown = lines;
  };
  return {
    live,
    paint,
    size,
    say: (text = '', head = '') => {
      if (live) draw(shown, hanging(head, text, size().columns - 1));
      else output.write(`${head}${text}\n`);
    },
    show: (lines) => {
      if (live) draw(lines);
    },
    leave: () => {
      shown = [];
      if (hidden) output.write(REVEAL);
      hidden = false;
    },
  };
}

function hanging(head: string, text: string, columns: number): readonly string[] {
  const indent = bare(head).length;
  const [first = '', ...others] = wrap(text, Math.max(20, columns - indent));
  return [`${head}${first}`, ...others.map((part) => `${' '.repeat(indent)}${part}`)];
}
