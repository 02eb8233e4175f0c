import { compileTemplate } from '../core/template.ts';
import { type ChoiceFields, candidateName } from './choice.ts';
import type { Entries } from './entries.ts';
import type { Located } from './finding.ts';
import type { Outline } from './schema.ts';
import { didYouMean } from './suggest.ts';

type Path = readonly PropertyKey[];
type Labels = Readonly<Record<string, string | number | boolean>>;
type Candidates = ReadonlyMap<string, Labels>;

/** What is wrong or doubtful about choices in the light of the targets and models they name. */
export function checkChoices({ choices, models }: Outline, entries: Entries): readonly Located[] {
  return Object.entries(choices).flatMap(([name, fields]) => {
    const found = checkModel(name, fields, Object.keys(models));
    const names = fields.targets.map(candidateName);
    const candidates = new Map<string, Labels>();
    for (const target of names) {
      const entry = entries.targets.get(target);
      if (entry !== undefined) candidates.set(target, entry.fields.labels);
    }
    return candidates.size < names.length ? found : [...found, ...checkRequire(name, fields, candidates)];
  });
}

function checkModel(choice: string, { by, mode, model }: ChoiceFields, models: readonly string[]): readonly Located[] {
  if (by !== 'predictive' || mode === 'off' || model !== undefined || models.length === 1) return [];
  const path = ['choices', choice, 'by'];
  if (models.length === 0) {
    const hint = 'write models: { latency: { path: … } }, or mode: off, or by: adaptive';
    return [finding('error', 'E_CONFIG_CHOICE', path, 'value', `choices.${choice}: predictive needs a model`, hint)];
  }
  const message = `choices.${choice}: predictive must say which model`;
  return [finding('error', 'E_CONFIG_CHOICE', path, 'value', message, `write model: ${models.join(' or ')}`)];
}

function checkRequire(choice: string, { require }: ChoiceFields, candidates: Candidates): readonly Located[] {
  const base = ['choices', choice, 'require'];
  const found: Located[] = [];
  for (const [label, value] of Object.entries(require)) found.push(...checkLabel([...base, label], value, candidates));
  if (found.some(({ severity }) => severity === 'error')) return found;

  const fixed = Object.entries(require).flatMap(([label, value]): [string, readonly string[]][] => {
    const texts = list(value).map(literal);
    return texts.every((text) => text !== undefined) ? [[label, texts]] : [];
  });
  const never = [...candidates].flatMap(([name, labels]) => {
    const unmet = fixed.find(([label, texts]) => !texts.includes(textAt(labels, label) ?? ''));
    return unmet === undefined ? [] : [{ name, label: unmet[0], text: textAt(labels, unmet[0]) }];
  });
  if (never.length === candidates.size && never.length > 0) {
    const message = `choices.${choice}: no target of it fulfils all of require, so no event could go anywhere`;
    return [...found, finding('error', 'E_CONFIG_CHOICE', base, 'key', message)];
  }
  return [
    ...found,
    ...never.map(({ name, label, text }) => {
      const why = text === undefined ? `it has no label ${label}` : `its ${label} is ${text}`;
      const message = `choices.${choice}: ${name} can never be chosen: ${why}`;
      return finding('warning', 'W_CHOICE_NEVER', [...base, label], 'key', message);
    }),
  ];
}

/** One label of `require` by itself. */
function checkLabel(path: Path, value: ChoiceFields['require'][string], candidates: Candidates): readonly Located[] {
  const [, choice, , label] = path as readonly string[] as [string, string, string, string];
  const has = [...candidates.values()].flatMap((labels) => textAt(labels, label) ?? []);
  if (has.length === 0) {
    const labels = [...new Set([...candidates.values()].flatMap(Object.keys))];
    const message = `choices.${choice}: no target of it has the label "${label}", so no event could go anywhere`;
    const hint = didYouMean(label, labels) ?? (labels.length === 0 ? undefined : `known: ${labels.join(', ')}`);
    return [finding('error', 'E_CONFIG_CHOICE', path, 'key', message, hint)];
  }
  const known = [...new Set(has)];
  const values = list(value);
  const single = !Array.isArray(value);
  const hint = (text: string): string =>
    (text.length < 3 ? undefined : didYouMean(text, known)) ?? `known: ${known.join(', ')}`;
  const doubtful = values.flatMap((text, index): readonly Located[] => {
    const at = single ? path : [...path, index];
    const { names } = compileTemplate(text);
    const wrong = names.filter((name) => name.includes('.') || name === 'data');
    const fallback = compileTemplate(text).render(() => undefined);
    return [
      ...wrong.map((name) => {
        const message = `choices.${choice}: {${name}} is not an attribute of an event`;
        return finding('warning', 'W_TEMPLATE_NAME', at, 'value', message);
      }),
      ...(fallback === undefined || known.includes(fallback)
        ? []
        : [
            finding(
              'warning',
              'W_CHOICE_REQUIRE',
              at,
              'value',
              `choices.${choice}: no target of it has ${label} "${fallback}"`,
              hint(fallback),
            ),
          ]),
    ];
  });
  const texts = values.map(literal);
  if (texts.some((text) => text === undefined || known.includes(text))) return doubtful;
  const wanted = texts.map((text) => `"${text}"`).join(' or ');
  const message = `choices.${choice}: no target of it has ${label} ${wanted}, so no event could go anywhere`;
  return [finding('error', 'E_CONFIG_CHOICE', path, 'value', message, hint(texts[0] as string))];
}

function list(value: ChoiceFields['require'][string]): readonly string[] {
  return (Array.isArray(value) ? value : [value]).map(String);
}

/** What a text without slots says; undefined for one that depends on the event. */
function literal(text: string): string | undefined {
  const template = compileTemplate(text);
  return template.names.length === 0 ? template.render(() => undefined) : undefined;
}

function textAt(labels: Labels, label: string): string | undefined {
  return Object.hasOwn(labels, label) ? String(labels[label]) : undefined;
}

function finding(
  severity: Located['severity'],
  code: string,
  path: Path,
  at: Located['at'],
  message: string,
  hint?: string,
): Located {
  return { severity, code, path, at, message, hint };
}
