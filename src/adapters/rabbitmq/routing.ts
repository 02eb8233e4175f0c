import { canonical } from '../../cloudevents/attributes.ts';
import { FairleadError } from '../../core/errors.ts';
import type { MeshEvent } from '../../core/event.ts';
import { compileTemplate, type Template } from '../../core/template.ts';

/** A short string's bound (AMQP 0-9-1 §4.2.5.3). */
const MAX_BYTES = 255;

/** Renders routing keys from event attributes, and refuses what an attribute must not be able to say. */
export class RoutingKey {
  readonly #template: Template;
  readonly #literal: string | undefined;
  #event: MeshEvent | undefined;

  /** Throws `E_TEMPLATE`, or `E_RABBITMQ_ROUTING_KEY` where a key without attributes is too long. */
  constructor(text: string) {
    this.#template = compileTemplate(text);
    this.#literal = this.#template.names.length === 0 ? this.#template.render(() => undefined) : undefined;
    if (this.#literal !== undefined && Buffer.byteLength(this.#literal) > MAX_BYTES) throw refused(LONG);
  }

  /** Throws `E_RABBITMQ_ROUTING_KEY`: final for this event. */
  of(event: MeshEvent): string {
    if (this.#literal !== undefined) return this.#literal;
    this.#event = event;
    const key = this.#template.render(this.#resolve);
    if (key === undefined) throw refused(`needs ${this.#missing(event)}, which this event does not have`);
    if (key.length > 85 && Buffer.byteLength(key) > MAX_BYTES) throw refused(LONG);
    return key;
  }

  readonly #resolve = (name: string): string | undefined => {
    const value = this.#event?.attribute(name);
    if (value === undefined) return undefined;
    const text = canonical(value);
    if (!isPlain(text)) throw refused(`would take "#", "*" or control characters from attribute "${name}"`);
    return text;
  };

  #missing(event: MeshEvent): string {
    const names = this.#template.names.filter((name) => event.attribute(name) === undefined);
    return `attribute ${names.map((name) => `"${name}"`).join(', ')}`;
  }
}

const LONG = `is longer than ${MAX_BYTES} bytes`;

function refused(why: string): FairleadError {
  return new FairleadError({ code: 'E_RABBITMQ_ROUTING_KEY', message: `the routing key ${why}` });
}

/** No wildcard of topic bindings and nothing below U+0020 or U+007F. */
function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    const c = text.charCodeAt(i);
    if (c < 0x20 || c === 0x23 || c === 0x2a || c === 0x7f) return false;
  }
  return true;
}
