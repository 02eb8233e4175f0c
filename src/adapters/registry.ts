import { memory } from './memory/index.ts';
import type { AdapterSpec } from './spec.ts';

/** Every adapter there is. An adapter is added here and nowhere else. */
export const adapters: readonly AdapterSpec[] = [memory];
