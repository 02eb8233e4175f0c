import { SHARING, WEIGHING } from './choice.ts';
import type { ConfigDocument } from './document.ts';
import type { Located } from './finding.ts';
import type { ChoiceConfig, GatewayConfig } from './types.ts';

/** Risks about choices and models that are otherwise valid. */
export function lintChoices(config: GatewayConfig, document: ConfigDocument): readonly Located[] {
  return [
    ...config.choices.flatMap((choice) => lintChoice(choice, document)),
    ...lintTwice(config),
    ...lintUnused(config),
  ];
}

function lintChoice(choice: ChoiceConfig, document: ConfigDocument): readonly Located[] {
  const { name, by, targets, mode } = choice;
  const path = ['choices', name];
  const found: Located[] = [];
  const vain = (field: readonly PropertyKey[], message: string): void => {
    if (document.has([...path, ...field]))
      found.push(warning('W_CHOICE_NO_EFFECT', [...path, ...field], `choices.${name}: ${message}`));
  };
  if (targets.length === 1) {
    const message = `choices.${name} has one target, so there is nothing to choose`;
    found.push(warning('W_CHOICE_SINGLE', [...path, 'targets'], message, `write to: [${targets[0]?.target}] instead`));
  }
  if (!WEIGHING.includes(by))
    for (const field of ['weights', 'explore'] as const)
      vain([field], `${by} weighs no costs, so ${field} changes nothing`);
  if (by === 'predictive' && mode !== 'canary') vain(['canary'], `canary changes nothing in mode: ${mode}`);
  if (by !== 'priority' && !WEIGHING.includes(by)) vain(['slo'], `${by} looks at no slo, so this changes nothing`);
  if (!SHARING.includes(by))
    for (const index of targets.keys()) vain(['targets', index, 'weight'], `a weight changes nothing with by: ${by}`);
  return found;
}

/** An event that one target may be sent twice, because a route names it by two of its entries. */
function lintTwice({ routes, choices }: GatewayConfig): readonly Located[] {
  const members = new Map(choices.map(({ name, targets }) => [name, targets.map(({ target }) => target)]));
  return routes.flatMap(({ name, to }, index) => {
    const seen = new Map<string, string>();
    return to.flatMap((entry, number): readonly Located[] => {
      const targets = members.get(entry) ?? [entry];
      const shared = targets.find((target) => seen.has(target));
      const first = shared === undefined ? undefined : seen.get(shared);
      for (const target of targets) if (!seen.has(target)) seen.set(target, entry);
      if (first === undefined) return [];
      const message = `route ${name}: ${shared} may get an event twice, by ${first} and by ${entry}`;
      return [{ ...warning('W_CHOICE_TWICE', ['routes', index, 'to', number], message), at: 'value' }];
    });
  });
}

function lintUnused({ choices, models, routes, unmatched }: GatewayConfig): readonly Located[] {
  const sent = new Set(routes.flatMap(({ to }) => to));
  if (typeof unmatched === 'object') for (const name of unmatched.to) sent.add(name);
  const scoring = new Set(choices.map(({ model }) => model));
  return [
    ...choices
      .filter(({ name }) => !sent.has(name))
      .map(({ name }) => warning('W_UNUSED_CHOICE', ['choices', name], `nothing is sent to the choice ${name}`)),
    ...models
      .filter(({ name }) => !scoring.has(name))
      .map(({ name }) => warning('W_UNUSED_MODEL', ['models', name], `no choice uses the model ${name}`)),
  ];
}

function warning(code: string, path: readonly PropertyKey[], message: string, hint?: string): Located {
  return { severity: 'warning', code, path, at: 'key', message, hint };
}
