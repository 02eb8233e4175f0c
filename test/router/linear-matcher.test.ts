import { LinearMatcher } from '../../src/router/linear-matcher.ts';
import { matcherSuite } from './matcher.suite.ts';

matcherSuite('LinearMatcher', (routes, onFilterError) => new LinearMatcher(routes, onFilterError));
