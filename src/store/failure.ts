import { codeOf, FairleadError } from '../core/errors.ts';

const FULL = new Set(['ENOSPC', 'EDQUOT']);

/** A coded store error that says whether the same call may succeed later. */
export function storeError(code: string, message: string, retryable: boolean, cause?: unknown): FairleadError {
  return new FairleadError({ code, message, retryable, ...(cause === undefined ? {} : { cause }) });
}

/** `E_STORE_FULL` (retryable): no room on the disk or under `maxBytes`; nothing of the append was kept. */
export function full(message: string, cause?: unknown): FairleadError {
  return storeError('E_STORE_FULL', message, true, cause);
}

/**
 * What a failed write or sync of the log means: no space is `E_STORE_FULL`; anything else is `E_STORE_FSYNC`, after
 * which nobody knows which pages reached the disk, so the log takes no more and the process must exit.
 * (Rebello et al., "Can Applications Recover from fsync Failures?", ATC 2020.)
 */
export function writeFailure(error: unknown, path: string): FairleadError {
  if (error instanceof FairleadError) return error;
  const code = codeOf(error) ?? 'unknown';
  if (FULL.has(code)) return full(`no space for ${path} (${code})`, error);
  return storeError('E_STORE_FSYNC', `writing ${path} failed with ${code}; the log takes no more`, false, error);
}

/** What a failed open, rename, list or read means: no space is `E_STORE_FULL`, the rest `E_STORE_IO` (retryable). */
export function fileFailure(error: unknown, path: string): FairleadError {
  if (error instanceof FairleadError) return error;
  const code = codeOf(error) ?? 'unknown';
  if (FULL.has(code)) return full(`no space for ${path} (${code})`, error);
  return storeError('E_STORE_IO', `${path}: ${code}`, true, error);
}

/** True for the error after which a log is dead for good. */
export function isFatal(error: FairleadError): boolean {
  return error.code === 'E_STORE_FSYNC';
}
