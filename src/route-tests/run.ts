import { decodeJson } from '../cloudevents/json.ts';
import type { Environment } from '../components.ts';
import type { GatewayConfig, RouteTest } from '../config/types.ts';
import { codeOf, FairleadError } from '../core/errors.ts';
import type { MeshEvent } from '../core/event.ts';
import { Outcomes } from '../outcomes.ts';
import { compareOutcome } from './compare.ts';
import type { Difference } from './difference.ts';

export interface TestResult {
  readonly name: string;
  readonly source: string;
  readonly ok: boolean;
  /** None: the test passed. */
  readonly differences: readonly Difference[];
}

export interface TestSurroundings {
  readonly env: Environment;
  /** The bytes of a file that a test names; throws where it cannot be read. */
  readFile(path: string): Buffer;
}

/** Runs route tests one after the other, in the order given. Connects to no broker. */
export async function runRouteTests(
  config: GatewayConfig,
  tests: readonly RouteTest[],
  surroundings: TestSurroundings,
): Promise<readonly TestResult[]> {
  const outcomes = new Outcomes(config, surroundings.env);
  const results: TestResult[] = [];
  try {
    for (const test of tests) {
      const differences = await differencesOf(test, outcomes, surroundings);
      results.push({ name: test.name, source: test.source, ok: differences.length === 0, differences });
    }
  } finally {
    await outcomes.close();
  }
  return results;
}

async function differencesOf(
  test: RouteTest,
  outcomes: Outcomes,
  surroundings: TestSurroundings,
): Promise<readonly Difference[]> {
  let event: MeshEvent;
  try {
    event = eventOf(test, surroundings);
  } catch (error) {
    if (!(error instanceof FairleadError)) throw error;
    return [{ at: test.file === undefined ? 'event' : 'file', why: `${error.code}: ${error.message}` }];
  }
  const outcome = await outcomes.of(event, test.source, test.nowMs ?? surroundings.env.clock.wall());
  return compareOutcome(test.expect, outcome);
}

function eventOf({ event, file }: RouteTest, { readFile }: TestSurroundings): MeshEvent {
  if (file === undefined) return decodeJson(Buffer.from(JSON.stringify(event)));
  let bytes: Buffer;
  try {
    bytes = readFile(file);
  } catch (error) {
    throw new FairleadError({
      code: 'E_TEST_FILE',
      message: `${file} cannot be read (${codeOf(error) ?? 'unknown cause'})`,
    });
  }
  return decodeJson(bytes);
}
