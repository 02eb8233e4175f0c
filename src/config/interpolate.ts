/** Where the values of `${…}` come from. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The text of a file; throws when it cannot be read. */
  readFile(path: string): string;
}

/** What kind of reference a text was made from. */
export type Origin = 'env' | 'file';

export interface Interpolated {
  readonly text: string;
  readonly origins: ReadonlySet<Origin>;
  readonly mistakes: readonly Mistake[];
}

interface Mistake {
  readonly code: 'E_CONFIG_VARIABLE' | 'E_CONFIG_FILE' | 'E_CONFIG_PLACEHOLDER';
  readonly message: string;
  /** The text of the reference, to find its place in the line. */
  readonly reference: string;
  /** The variable's name, for did-you-mean. */
  readonly name?: string;
}

const REFERENCE = /\$\$\{|\$\{([^}]*)(\}?)/g;

/**
 * Resolves `${VAR}`, `${VAR:-default}` (also used when the variable is empty) and `${file:/path}` (less one trailing
 * newline); `$${` stands for `${`. What was put in is not looked at again.
 */
export function interpolate(text: string, surroundings: Surroundings): Interpolated {
  const origins = new Set<Origin>();
  const mistakes: Mistake[] = [];
  const resolved = text.replace(REFERENCE, (reference: string, body: string | undefined, close: string | undefined) => {
    if (body === undefined) return '${';
    const found = close === '' ? malformed(reference) : lookUp(body, reference, surroundings);
    if (typeof found !== 'string' && 'code' in found) {
      mistakes.push(found);
      return '';
    }
    origins.add(found.origin);
    return found.text;
  });
  return { text: resolved, origins, mistakes };
}

function lookUp(
  body: string,
  reference: string,
  { env, readFile }: Surroundings,
): { text: string; origin: Origin } | Mistake {
  if (body.startsWith('file:')) {
    const path = body.slice('file:'.length);
    try {
      return { text: readFile(path).replace(/\r?\n$/, ''), origin: 'file' };
    } catch (error) {
      const cause = (error as NodeJS.ErrnoException).code ?? 'it cannot be read';
      return {
        code: 'E_CONFIG_FILE',
        message: `the file ${path} that ${reference} refers to cannot be read (${cause})`,
        reference,
      };
    }
  }
  const [, name, fallback] = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(body) ?? [];
  if (name === undefined) return malformed(reference);
  const value = Object.hasOwn(env, name) ? env[name] : undefined;
  if (fallback !== undefined && (value === undefined || value === '')) return { text: fallback, origin: 'env' };
  if (value !== undefined) return { text: value, origin: 'env' };
  return { code: 'E_CONFIG_VARIABLE', message: `the environment variable ${name} is not set`, reference, name };
}

function malformed(reference: string): Mistake {
  return {
    code: 'E_CONFIG_PLACEHOLDER',
    message: `"${reference}" is not \${VAR}, \${VAR:-default} or \${file:/path}`,
    reference,
  };
}
