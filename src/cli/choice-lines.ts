import type { ChoiceStatus, GatewayStatus } from '../status.ts';

/** Tells for each choice where its events go: shares since the last call, and what is under way. */
export class ChoiceLines {
  readonly #before = new Map<string, number>();

  next({ choices, models }: Pick<GatewayStatus, 'choices' | 'models'>): string[] {
    const failed = models.flatMap(({ name, lastError }) =>
      lastError === undefined ? [] : [`✘ model ${name} is not loaded: ${lastError.code}: ${lastError.message}`],
    );
    const learning = models.flatMap(({ name, trial, retraining }) =>
      retraining === undefined || retraining.phase === 'idle' ? [] : [`◇ model ${name}: ${stage(retraining, trial)}`],
    );
    return [...choices.map((choice) => this.#line(choice)), ...learning, ...failed];
  }

  #line({ name, by, decisions, targets }: ChoiceStatus): string {
    const counts = targets.map(({ target, counters }) => this.#since(`${name} ${target}`, counters.chosen));
    const sum = counts.reduce((total, count) => total + count, 0);
    const parts = targets.map(({ target, inFlight }, at) => {
      const share = sum === 0 ? '–' : `${Math.round((100 * (counts[at] as number)) / sum)} %`;
      return `${target} ${share}${inFlight > 0 ? ` (${inFlight} under way)` : ''}`;
    });
    const { fallback } = decisions;
    const last = this.#since(`${name} by fallback`, fallback);
    return `◆ ${name} by ${by}: ${parts.join(', ')}${last > 0 ? `; ${last} by fallback` : ''}`;
  }

  #since(what: string, count: number): number {
    const before = this.#before.get(what) ?? 0;
    this.#before.set(what, count);
    return count - before;
  }
}

type Retraining = NonNullable<GatewayStatus['models'][number]['retraining']>;

function stage({ phase, share }: Retraining, version: number | undefined): string {
  const which = version === undefined ? 'a new version' : `version ${version}`;
  switch (phase) {
    case 'shadow':
      return `${which} in shadow`;
    case 'canary':
      return `${which} scores ${Math.round(share * 100)} % of the time`;
    case 'watched':
      return 'promoted, and watched';
    case 'training':
      return 'a new version is trained';
    default:
      return 'waits for its turn to be trained';
  }
}
