import { redactUrl } from '../config/redact.ts';
import { codeOf, messageOf } from '../core/errors.ts';
import type { CheckItem } from '../core/source.ts';

/** A source or a target. */
export interface Checked {
  check(): Promise<CheckItem[]>;
}

/** What a component answers, or that it did not answer in time. URLs without their user. Never rejects. */
export async function answered(component: Checked, timeoutMs: number): Promise<CheckItem[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<CheckItem[]>((resolve) => {
    const message = `no answer within ${timeoutMs} ms`;
    timer = setTimeout(() => resolve([{ what: 'answer', ok: false, code: 'E_UNAVAILABLE', message }]), timeoutMs);
  });
  const failed = (error: unknown): CheckItem[] => [
    { what: 'check', ok: false, code: codeOf(error) ?? 'E_ERROR', message: messageOf(error) },
  ];
  const items = await Promise.race([component.check().catch(failed), late]);
  clearTimeout(timer);
  return items.map(redacted);
}

function redacted(item: CheckItem): CheckItem {
  const { what, message } = item;
  return { ...item, what: redactUrl(what), ...(message === undefined ? {} : { message: redactUrl(message) }) };
}
