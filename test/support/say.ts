import type { Because } from '../../src/core/because.ts';
import type { Decision } from '../../src/core/decision.ts';
import type { Effect } from '../../src/core/effect.ts';

type Told = { readonly phase?: string; readonly verdict?: string; readonly attempt?: number };

/** A decision in one line, so that a table of them can be read: `→ Uncordoning (Skipped): DrainDeadline`. */
export function say<State extends object>(decision: Decision<State, Effect>): string {
  switch (decision.kind) {
    case 'move':
      return `→ ${stateOf(decision.to)}: ${decision.because.reason}`;
    case 'act':
      return `${decision.effects.map(effectOf).join(', ')}: ${decision.because.reason}`;
    case 'wait':
      return `wait: ${decision.because.reason}`;
    case 'rest':
      return 'rest';
  }
}

function stateOf(state: Told): string {
  const counts = state.phase === 'Starting' || state.phase === 'Upgrading';
  const more = state.verdict ?? (counts ? state.attempt : undefined);
  return `${state.phase ?? 'status'}${more === undefined ? '' : ` (${more})`}`;
}

function effectOf(effect: Effect): string {
  switch (effect.kind) {
    case 'patchNode':
    case 'writeLedger':
      return effect.as;
    case 'evict':
      return `evict ${effect.pod}`;
    case 'createJob':
    case 'releaseJob':
    case 'deleteJob':
      return `${effect.kind} ${effect.name.slice(effect.name.lastIndexOf('-') + 1)}`;
    case 'setFinalizers':
      return `finalizers [${effect.finalizers.join(' ')}]`;
    default:
      return effect.kind;
  }
}

/** Why a decision was taken. */
export function because<State, Of>(decision: Decision<State, Of>): Because | undefined {
  return decision.kind === 'rest' ? undefined : decision.because;
}
