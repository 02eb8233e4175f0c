import { isUtf8 } from 'node:buffer';
import jsonata from 'jsonata';
import { TransformFailure } from '../../core/transform.ts';
import { explain } from './explain.ts';
import type { JsonataProgram } from './program.ts';
import { LinearRegExp } from './regex.ts';

/** Nested evaluations; a function that calls itself uses a few each time. */
const MAX_DEPTH = 500;
/** Longest array that an expression may build. */
const MAX_SEQUENCE = 100_000;

export type Evaluation = (data: Buffer | undefined, event: string) => Promise<Buffer | TransformFailure>;

/**
 * Compiles a program for evaluations in this thread: only a worker may call them, since not every loop looks at the clock.
 * The expression reaches its input and JSONata's functions, `$eval` excepted, and nothing else.
 */
export function compileEvaluation(program: JsonataProgram): Evaluation {
  const expression = parsed(program);
  if (expression === undefined) {
    const failure = new TransformFailure('E_TRANSFORM_SYNTAX', 'not a JSONata expression');
    return () => Promise.resolve(failure);
  }
  expression.registerFunction('eval', () => {
    throw { code: 'F_EVAL' };
  });
  return async (data, event) => {
    let input: unknown;
    try {
      input = data === undefined ? undefined : parse(data);
    } catch {
      return new TransformFailure('E_TRANSFORM_DATA', 'the data is not JSON');
    }
    try {
      const bindings = event === '' ? {} : { event: JSON.parse(event) as unknown };
      return written(await expression.evaluate(input, bindings), program);
    } catch (error) {
      return explain(error, program);
    }
  };
}

/** Undefined for what the check of a configuration refuses; a program may come without one. */
function parsed(program: JsonataProgram): jsonata.Expression | undefined {
  try {
    return jsonata(program.expression, {
      timeout: program.timeoutMs,
      stack: MAX_DEPTH,
      sequence: MAX_SEQUENCE,
      RegexEngine: LinearRegExp as unknown as RegExpConstructor,
    });
  } catch {
    return undefined;
  }
}

function parse(data: Buffer): unknown {
  if (!isUtf8(data)) throw new SyntaxError('not UTF-8');
  return JSON.parse(data.toString('utf8'));
}

function written(result: unknown, program: JsonataProgram): Buffer | TransformFailure {
  if (result === undefined) {
    return new TransformFailure(
      'E_TRANSFORM_JSONATA',
      'the expression gave nothing: what it looks for is not in the data',
    );
  }
  const json: string | undefined = JSON.stringify(result, refuseFunctions);
  const bytes = Buffer.from(json, 'utf8');
  if (bytes.length <= program.maxBytes) return bytes;
  const message = `the result has ${bytes.length} bytes, more than maxBytes (${program.maxBytes})`;
  return new TransformFailure('E_TRANSFORM_LIMIT', message);
}

/** A function is an object to JSONata, with its surroundings in it. */
function refuseFunctions(_key: string, value: unknown): unknown {
  if (typeof value === 'function') throw { code: 'F_FUNCTION' };
  if (typeof value !== 'object' || value === null) return value;
  if ('_jsonata_lambda' in value || '_jsonata_function' in value) throw { code: 'F_FUNCTION' };
  return value;
}
