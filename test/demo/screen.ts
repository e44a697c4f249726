import { stripVTControlCharacters as bare } from 'node:util';
import type { Blocker } from '../../src/api/blocker.ts';
import { type BudgetRow, type NodeRow, queue, type Scene, STEPS } from './scene.ts';

/** The looks that text may have. */
export type Style = 'bold' | 'dim' | 'green' | 'yellow' | 'red' | 'cyan';
/** Gives text a look, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string;
/** How much room there is. */
export type Size = { readonly columns: number; readonly rows: number };

const MARGIN = '  ';
const NARROWEST = 59;
const MOST_NAME = 30;
const MOST_BAR = 60;

/** The live part of the demo: no line is wider than the terminal, and there are fewer than it has rows. */
export function screen(scene: Scene, seconds: number, size: Size, paint: Paint): readonly string[] {
  const columns = Math.max(NARROWEST, size.columns - 1);
  const most = Math.max(1, size.rows - 1);
  const head = ['', ...header(scene, seconds, columns, paint), '', ...table(scene.nodes, columns, paint)];
  const health = ['', ...budgets(scene.budgets, columns, paint)];
  const reasons = waits(scene, columns, paint);
  const all = [...head, ...health, ...reasons];
  if (all.length <= most) return all;
  const lines = [...head, ...reasons];
  if (lines.length <= most) return lines;
  return [...lines.slice(0, most - 1), paint('dim', `${MARGIN}… and more: this window is too low for it`)];
}

/** A duration as a clock shows it. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** Breaks a text between words, looks not counted; a word that is too long for a line is cut. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((word) => pieces(word, width))) {
    if (line !== '' && bare(line).length + 1 + bare(word).length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}

function pieces(word: string, width: number): readonly string[] {
  if (bare(word).length <= width) return [word];
  const cut: string[] = [];
  for (let from = 0; from < word.length; from += width) cut.push(word.slice(from, from + width));
  return cut;
}

function cell(text: string, width: number): string {
  return text.length <= width ? text.padEnd(width) : `${text.slice(0, Math.max(0, width - 1))}…`;
}

function header({ upgrade, window, nodes, limit }: Scene, seconds: number, columns: number, paint: Paint) {
  const time = clock(seconds);
  const opening = window === undefined ? '' : ` · window ${window.name} ${window.open ? 'open' : 'closed'}`;
  const title = `ClusterUpgrade ${upgrade.name}: ${upgrade.target}${opening} · `;
  const room = columns - MARGIN.length - time.length - 1;
  const told = cell(title, Math.min(title.length, Math.max(0, room - upgrade.phase.length)));
  const style = upgrade.phase === 'Blocked' || upgrade.phase === 'Halted' ? 'yellow' : 'bold';
  const phase = paint(style, cell(upgrade.phase, room - told.length));
  const done = nodes.filter(({ is }) => is === 'done').length;
  const out = nodes.filter(({ is }) => is === 'inFlight').length;
  const counts = `  ${done} of ${nodes.length} nodes done · ${out} out, ${limit} may be`;
  const width = Math.max(10, Math.min(MOST_BAR, columns - MARGIN.length - counts.length));
  const share = nodes.reduce((sum, node) => sum + progress(node), 0) / Math.max(1, nodes.length);
  const full = Math.round(share * width);
  const bar = paint('green', '█'.repeat(full)) + paint('dim', '░'.repeat(width - full));
  return [
    `${MARGIN}${paint('bold', told)}${phase} ${paint('cyan', time)}`,
    `${MARGIN}${bar}${counts.slice(0, Math.max(0, columns - MARGIN.length - width))}`,
  ];
}

function progress({ is, step }: NodeRow): number {
  if (is === 'done') return 1;
  return step === undefined ? 0 : (step + 1) / (STEPS.length + 1);
}

function table(nodes: readonly NodeRow[], columns: number, paint: Paint): readonly string[] {
  const name = widest(nodes, 'NODE');
  const kubelet = Math.max(7, ...nodes.map((node) => node.kubelet.length));
  const left = MARGIN.length + name + 2 + kubelet + 2 + 'PODS'.length + 2;
  const all = STEPS.join('  ').length + 1;
  const steps = left + all <= columns ? all : 1 + Math.max(...STEPS.map((step) => step.length));
  const now = columns - left - steps - 2;
  const told = now < 4 || steps < all ? '' : 'NOW';
  const head = `${MARGIN}${cell('NODE', name)}  ${cell('KUBELET', kubelet)}  PODS  ${cell(' PASSAGE', steps)}  ${told}`;
  const widths = { name, kubelet, now, whole: steps === all };
  return [paint('dim', head.trimEnd()), ...nodes.map((node) => row(node, widths, paint))];
}

type Widths = { readonly name: number; readonly kubelet: number; readonly now: number; readonly whole: boolean };

function row(node: NodeRow, width: Widths, paint: Paint): string {
  const style = styleOf(node);
  const steps = STEPS.map((step, index) => stepOf(step, index, node, paint));
  const cells = [
    style === 'dim' ? cell(node.name, width.name) : paint('bold', cell(node.name, width.name)),
    paint(node.is === 'done' ? 'green' : node.ready ? 'dim' : 'red', cell(node.kubelet, width.kubelet)),
    String(node.pods).padStart(4),
    width.whole ? steps.join(' ') : (steps[Math.min(STEPS.length - 1, Math.max(0, node.step ?? 0))] ?? ''),
    ...(width.whole && width.now >= 4 ? [paint(style, cell(nowOf(node), width.now).trimEnd())] : []),
  ];
  return `${MARGIN}${cells.join('  ')}`;
}

/** The width of a column of names; a cloud's names for its nodes are cut. */
function widest(rows: readonly { readonly name: string }[], head: string): number {
  return Math.min(MOST_NAME, Math.max(head.length, ...rows.map(({ name }) => name.length)));
}

function styleOf({ is, blockers }: NodeRow): Style {
  if (is === 'inFlight') return blockers.length > 0 ? 'yellow' : 'cyan';
  if (is === 'ended') return 'red';
  return is === 'done' ? 'green' : 'dim';
}

function stepOf(name: string, index: number, { step, blockers, is }: NodeRow, paint: Paint): string {
  if (is === 'done') return paint('green', `✓${name}`);
  if (step === undefined || index > step) return paint('dim', ` ${name}`);
  if (index < step) return paint('green', `✓${name}`);
  return paint(blockers.length > 0 ? 'yellow' : 'cyan', `▸${name}`);
}

function nowOf({ is, phase, reason, blockers, seconds, ready }: NodeRow): string {
  if (is === 'done') return seconds === undefined ? 'at target' : `done in ${seconds} s`;
  if (is === 'waiting') return 'waiting';
  if (is === 'ended') return phase ?? '';
  if (!ready) return 'NotReady';
  return blockers.length > 0 ? 'Blocked' : reason;
}

function budgets(rows: readonly BudgetRow[], columns: number, paint: Paint): readonly string[] {
  const name = widest(rows, 'BUDGET');
  const dots = Math.max(4, ...rows.map((each) => Math.min(20, each.expected)));
  return [
    paint('dim', `${MARGIN}${cell('BUDGET', name)}  HEALTHY PODS`),
    ...rows.map((each) => {
      const alive = Math.min(20, each.healthy);
      const dead = Math.max(0, Math.min(20, each.expected) - alive);
      const told = `${each.healthy} of ${each.expected}, ${each.needed} needed, ${each.allowed} may go`;
      const style = each.healthy < each.needed ? 'red' : each.allowed === 0 ? 'yellow' : 'green';
      const tail = ' '.repeat(Math.max(0, dots - alive - dead));
      const line = `${MARGIN}${cell(each.name, name)}  ${paint(style, '●'.repeat(alive))}${paint('dim', '○'.repeat(dead))}${tail}  `;
      return `${line}${told.slice(0, Math.max(0, columns - MARGIN.length - name - 2 - dots - 2))}`;
    }),
  ];
}

function waits(scene: Scene, columns: number, paint: Paint): readonly string[] {
  const { names, why } = queue(scene);
  const flying = scene.nodes.filter(({ is }) => is === 'inFlight' || is === 'ended');
  const width = widest(flying, 'next');
  const lines = flying.flatMap((node) => {
    const { blockers } = node;
    if (blockers.some(({ selfClearing }) => !selfClearing)) return blocked(node, width, columns, paint);
    const sentences = blockers.length > 0 ? together(blockers) : [node.message];
    return sentences.flatMap((text, index) =>
      labelled(index === 0 ? node.name : '', text, width, columns, (part) => paint('bold', part)),
    );
  });
  const rest = `${names.join(', ')}. ${why}`;
  const queued = names.length === 0 ? [] : labelled('next', rest, width, columns, (part) => paint('dim', part));
  if (lines.length + queued.length === 0) return [];
  return ['', paint('dim', `${MARGIN}REASONS`), ...lines, ...queued];
}

/** Pods that wait for the same budget, in one sentence. */
function together(blockers: readonly Blocker[]): readonly string[] {
  const groups = Map.groupBy(blockers, ({ message }) => message);
  return [...groups].map(([message, [first, ...others]]) => {
    const more = others.length === 0 ? '' : ` and ${others.length} more`;
    return `${first?.pod}${more}: ${message}`;
  });
}

function labelled(label: string, text: string, width: number, columns: number, look: (text: string) => string) {
  const indent = MARGIN.length + width + 2;
  return wrap(text, columns - indent).map((part, index) =>
    index === 0 ? `${MARGIN}${look(cell(label, width))}  ${part}` : `${' '.repeat(indent)}${part}`,
  );
}

function blocked(node: NodeRow, width: number, columns: number, paint: Paint): readonly string[] {
  const head = `${MARGIN}${paint('bold', cell(node.name, width))}  ${paint('yellow', 'is blocked by a budget; other nodes go on.')}`;
  const indent = MARGIN.length + width + 2;
  const facts = node.blockers
    .filter(({ selfClearing }) => !selfClearing)
    .slice(0, 2)
    .flatMap(({ pod, owner, budgets: by, reason, message, advice }) => [
      ['pod', pod],
      ['owner', owner ?? 'nobody'],
      ['budget', by.join(', ')],
      ['reason', `${reason}: ${message}`],
      ['advice', advice],
    ]);
  return [
    head,
    ...facts.flatMap(([label = '', text = '']) =>
      wrap(text, columns - indent - 8).map(
        (part, index) => `${' '.repeat(indent)}${paint('dim', cell(index === 0 ? label : '', 6))}  ${part}`,
      ),
    ),
  ];
}
