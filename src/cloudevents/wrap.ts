import { FairleadError } from '../core/errors.ts';
import type { MeshEvent } from '../core/event.ts';
import { compileTemplate, type Template } from '../core/template.ts';
import { finish, newDraft, setAttribute } from './attributes.ts';

/** A source's `as:` block: templates over the adapter's position variables. */
export interface WrapTemplates {
  readonly type: string;
  readonly source: string;
  readonly subject?: string | undefined;
  readonly id?: string | undefined;
  readonly time?: string | undefined;
  readonly datacontenttype?: string | undefined;
}

/** Makes a CloudEvent of what is none; the data is untouched. */
export interface Wrap {
  /**
   * `idFallback` is the position (`topic-partition-offset`, a broker's own id), so that a redelivery gets the same id.
   * Throws {@link FairleadError} `E_WRAP` where a required template has no value or a value is not allowed.
   */
  wrap(
    resolve: (name: string) => string | undefined,
    data: Buffer | undefined,
    contentType: string | undefined,
    idFallback: string,
  ): MeshEvent;
}

/** Compiles the `as:` block of a source, or the adapter's fallback where there is none. Throws `E_TEMPLATE`. */
export function compileWrap(as: WrapTemplates | undefined, fallback: { type: string; source: string }): Wrap {
  const type = compileTemplate(as?.type ?? fallback.type);
  const source = compileTemplate(as?.source ?? fallback.source);
  const subject = optional(as?.subject);
  const id = optional(as?.id);
  const time = optional(as?.time);
  const datacontenttype = optional(as?.datacontenttype);
  return {
    wrap(resolve, data, contentType, idFallback) {
      const draft = newDraft();
      draft.specversion = true;
      try {
        setAttribute(draft, 'id', id?.render(resolve) || idFallback);
        setAttribute(draft, 'source', uriSafe(required('source', source, resolve)));
        setAttribute(draft, 'type', required('type', type, resolve));
        const about = subject?.render(resolve);
        if (about) setAttribute(draft, 'subject', about);
        const at = time?.render(resolve);
        if (at) setAttribute(draft, 'time', at);
        const media = (datacontenttype?.render(resolve) || contentType)?.trim();
        if (media) setAttribute(draft, 'datacontenttype', media);
        return finish(draft, data);
      } catch (error) {
        if (!(error instanceof FairleadError) || error.code === 'E_WRAP') throw error;
        throw new FairleadError({
          code: 'E_WRAP',
          message: `cannot wrap as a CloudEvent: ${error.message}`,
          cause: error,
        });
      }
    },
  };
}

function optional(text: string | undefined): Template | undefined {
  return text === undefined ? undefined : compileTemplate(text);
}

function required(name: string, template: Template, resolve: (name: string) => string | undefined): string {
  const value = template.render(resolve);
  if (value !== undefined) return value;
  const unknown = template.names.filter((wanted) => resolve(wanted) === undefined);
  const what = `"${name}" is made of {${unknown.join('}, {')}}, which this event does not have`;
  throw new FairleadError({ code: 'E_WRAP', message: `cannot wrap as a CloudEvent: ${what}` });
}

/** A topic or queue name with spaces still makes a URI reference; everything else of it stays as it is. */
function uriSafe(source: string): string {
  return source.includes(' ') ? source.replaceAll(' ', '%20') : source;
}
