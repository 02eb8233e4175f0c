import type { Random } from './core/clock.ts';
import type { Selector, SelectorConfig, SelectorDeps, SelectorName } from './core/selector.ts';
import { Adaptation, type Averages } from './models/adaptation.ts';
import { Predictor } from './models/predictor.ts';
import { sizeClassesOf } from './models/size-classes.ts';
import { Window } from './models/window.ts';
import { C3 } from './policies/selectors/c3.ts';
import { Changes } from './policies/selectors/changes.ts';
import { Choice } from './policies/selectors/choice.ts';
import { LeastCost } from './policies/selectors/least-cost.ts';
import { LeastInFlight } from './policies/selectors/least-inflight.ts';
import { type Forecast, newOutlook, persistence, type Sizes } from './policies/selectors/outlook.ts';
import { PeakEwma } from './policies/selectors/p2c-ewma.ts';
import { Prequal } from './policies/selectors/prequal.ts';
import { Priority } from './policies/selectors/priority.ts';
import { RandomChoice } from './policies/selectors/random.ts';
import { RoundRobin } from './policies/selectors/round-robin.ts';
import type { Strategy } from './policies/selectors/strategy.ts';

/** A selector as the gateway uses it, for any clock and source of chance. See {@link Selector} for how it is driven. */
export function createSelector(config: SelectorConfig, deps: SelectorDeps): Selector {
  const { count } = sizeClassesOf(config);
  const windows = config.targets.map(() => new Window(count));
  const predictor = new Predictor(config, windows, deps.scorer);
  const sizes: Sizes = { classes: predictor.classes, classOf: (bytes) => predictor.sizeClass(bytes) };
  const average = persistence(sizes);
  const changes = new Changes(config.targets.length);
  const chance = { random: deps.random, changes };
  if (config.by !== 'predictive') {
    return new Choice(config, deps, {
      windows,
      seat: predictor,
      changes,
      chain: chainOf(config.by, config, chance, average),
    });
  }
  const adaptation = new Adaptation(config, windows, predictor, averagesOf(average));
  adaptation.use(deps.scorer);
  const model = new LeastCost('predictive', modelForecast(sizes, predictor, adaptation), config, chance);
  const chain = [model, ...chainOf('adaptive', config, chance, average)];
  return new Choice(config, deps, { windows, seat: adaptation, changes, chain });
}

/** The strategy asked for, and what stands in for it: analytic policy, peak EWMA, fixed order. */
function chainOf(
  by: Exclude<SelectorName, 'predictive'>,
  config: SelectorConfig,
  chance: { random: Random; changes: Changes },
  average: Forecast,
): readonly Strategy[] {
  const { random } = chance;
  const options = {
    random,
    sloMs: config.sloMs ?? 100,
    timeoutMs: config.timeoutMs ?? 2_000,
    gateways: config.gateways ?? 1,
  };
  switch (by) {
    case 'priority':
      return [new Priority(options)];
    case 'round-robin':
      return [new RoundRobin()];
    case 'weighted':
    case 'random':
      return [new RandomChoice(by, random)];
    case 'least-inflight':
    case 'p2c-least-inflight':
      return [new LeastInFlight(by, random)];
    case 'p2c-ewma':
      return [new PeakEwma(options)];
    case 'c3':
      return [new C3(options)];
    case 'prequal':
      return [new Prequal(options)];
    case 'adaptive':
      return [new LeastCost('adaptive', average, config, chance), new PeakEwma(options), new Priority(options)];
  }
}

/** What is expected of a send without a model. */
function averagesOf(average: Forecast): Averages {
  const outlook = newOutlook();
  return (target, window, bytes) => {
    average.read(target, window, bytes, outlook);
    return outlook;
  };
}

function modelForecast(sizes: Sizes, predictor: Predictor, adaptation: Adaptation): Forecast {
  return {
    ...sizes,
    get version() {
      return predictor.answers;
    },
    ready: () => adaptation.ready(),
    read(index, window, bytes, into) {
      into.sizeClass = predictor.sizeClass(bytes);
      adaptation.expect(index, window, bytes, into);
      return true;
    },
  };
}
