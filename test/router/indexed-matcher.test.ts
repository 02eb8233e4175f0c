import { buildMatcher, IndexedMatcher } from '../../src/router/index/indexed-matcher.ts';
import { matcherSuite } from './matcher.suite.ts';

matcherSuite('IndexedMatcher', (routes, onFilterError) => new IndexedMatcher(routes, onFilterError));
matcherSuite('IndexedMatcher in slices', (routes, onFilterError) =>
  buildMatcher(routes, { onFilterError, sliceMs: 0, yieldTo: () => Promise.resolve() }),
);
