import type { z } from 'zod';

/** One validation said once: the API server runs the CEL text, we run the predicate, users read the message. */
export type Rule<T> = {
  readonly cel: string;
  readonly message: string;
  readonly holds: (value: T) => boolean;
};

const VALIDATIONS = 'x-kubernetes-validations';

/** States a rule. The message says what is wrong and what to write instead; `holds` is the same rule in TypeScript. */
export function rule<T>(cel: string, message: string, holds: (value: T) => boolean): Rule<T> {
  return { cel, message, holds };
}

/** A rule over the old and the new object, which only the API server can see: CEL with `oldSelf`. */
export function transition<T>(cel: string, message: string): Rule<T> {
  return { cel, message, holds: () => true };
}

/** A field of the published API whose behaviour is not built: refused, so that nobody relies on silence. */
export function notYet<T extends object>(field: keyof T & string): Rule<T> {
  return rule(`!has(self.${field})`, `${field} is not available yet: remove it`, (value) => value[field] === undefined);
}

/** Attaches rules to a schema: to what we parse as refinements, to the CRD as `x-kubernetes-validations`. */
export function ruled<S extends z.ZodType>(schema: S, ...rules: readonly Rule<z.output<S>>[]): S {
  const earlier = (schema.meta()?.[VALIDATIONS] ?? []) as readonly unknown[];
  let refined: z.ZodType = schema;
  for (const { holds, message } of rules) refined = refined.refine((value) => holds(value as z.output<S>), { message });
  return refined.meta({
    ...schema.meta(),
    [VALIDATIONS]: [...earlier, ...rules.map(({ cel, message }) => ({ rule: cel, message }))],
  }) as S;
}
