import type { IPublishPacket } from 'mqtt';
import { finish, invalid, newDraft, setAttribute } from '../../cloudevents/attributes.ts';
import { decodeJson } from '../../cloudevents/json.ts';
import { contentMode } from '../../cloudevents/media-type.ts';
import { isName } from '../../cloudevents/values.ts';
import type { Wrap } from '../../cloudevents/wrap.ts';
import type { Delivery, DeliveryMeta } from '../../core/delivery.ts';
import { FairleadError, messageOf } from '../../core/errors.ts';
import type { MeshEvent } from '../../core/event.ts';

export interface DecoderOptions {
  readonly format: 'auto' | 'cloudevents' | 'raw';
  readonly wrap: Wrap;
  /** Larger payloads are poison, in bytes. */
  readonly maxEventBytes: number;
  readonly clientId: string;
  /** An id that no other event has; MQTT gives events none that would survive a redelivery. */
  newId(): string;
}

type UserProperties = Readonly<Record<string, string | string[]>>;

interface Decoded {
  readonly event: MeshEvent;
  readonly headers: Record<string, string> | undefined;
}

/** PUBLISH packets → deliveries (CloudEvents MQTT binding 1.0.2). Of both protocol versions: 3.1.1 has no properties. */
export class Decoder {
  readonly #options: DecoderOptions;
  readonly #resolve = (name: string): string | undefined => this.#variable(name);
  #packet: IPublishPacket | undefined;
  #levels: { topic: string; names: string[] } | undefined;

  constructor(options: DecoderOptions) {
    this.#options = options;
  }

  /** Never throws: what cannot be decoded becomes poison. */
  decode(packet: IPublishPacket): Delivery {
    const { topic } = packet;
    const payload = packet.payload as Buffer;
    const position: Record<string, string | number> = { topic };
    if (packet.messageId !== undefined) position['packetId'] = packet.messageId;
    const attempt = packet.dup ? 2 : 1;
    try {
      if (payload.length > this.#options.maxEventBytes) throw tooLarge(payload.length, this.#options.maxEventBytes);
      const { event, headers } = this.#event(packet, payload);
      const meta: DeliveryMeta = headers === undefined ? { position } : { position, headers };
      return { event, attempt, orderingKey: topic, meta };
    } catch (error) {
      const code = error instanceof FairleadError ? error.code : 'E_DECODE';
      const contentType = single(packet.properties?.contentType);
      return {
        poison: { code, message: messageOf(error), raw: payload, contentType },
        attempt,
        orderingKey: topic,
        meta: { position },
      };
    }
  }

  #event(packet: IPublishPacket, payload: Buffer): Decoded {
    const { format } = this.#options;
    const contentType = packet.properties?.contentType as string | string[] | undefined;
    if (Array.isArray(contentType)) {
      throw new FairleadError({ code: 'E_CE_DUPLICATE', message: 'the Content Type property is given twice' });
    }
    const properties = packet.properties?.userProperties as UserProperties | undefined;
    if (format === 'raw') return this.#wrap(packet, payload, contentType, properties);
    switch (contentMode(contentType)) {
      case 'structured':
        return { event: decodeJson(payload), headers: headersOf(properties, () => true) };
      case 'batch':
      case 'unsupported':
        throw new FairleadError({
          code: 'E_CE_CONTENT_MODE',
          message: 'the content type is a CloudEvents one that MQTT has no use for (only application/cloudevents+json)',
        });
      default:
        if (properties?.['specversion'] !== undefined) return binary(properties, contentType, payload);
    }
    if (contentType === undefined) {
      if (format === 'cloudevents') return { event: decodeJson(payload), headers: headersOf(properties, () => true) };
      const event = looksStructured(payload) ? tryJson(payload) : undefined;
      if (event !== undefined) return { event, headers: headersOf(properties, () => true) };
    } else if (format === 'cloudevents') {
      throw new FairleadError({ code: 'E_CE_MISSING', message: 'not a CloudEvent: no user property "specversion"' });
    }
    return this.#wrap(packet, payload, contentType, properties);
  }

  #wrap(
    packet: IPublishPacket,
    payload: Buffer,
    contentType: string | undefined,
    properties?: UserProperties,
  ): Decoded {
    this.#packet = packet;
    const event = this.#options.wrap.wrap(
      this.#resolve,
      dataOf(payload, contentType),
      contentType,
      this.#options.newId(),
    );
    return { event, headers: headersOf(properties, () => true) };
  }

  #variable(name: string): string | undefined {
    const packet = this.#packet as IPublishPacket;
    switch (name) {
      case 'topic':
        return packet.topic;
      case 'qos':
        return String(packet.qos);
      case 'retain':
        return String(packet.retain);
      case 'contenttype':
        return single(packet.properties?.contentType);
      case 'clientid':
        return this.#options.clientId;
    }
    if (name.startsWith('topic.')) return this.#level(packet.topic, Number(name.slice(6)));
    if (!name.startsWith('property.')) return undefined;
    return single((packet.properties?.userProperties as UserProperties | undefined)?.[name.slice(9)]);
  }

  /** A level of the topic, counted from 0; empty levels (`a//b`) resolve to nothing. */
  #level(topic: string, index: number): string | undefined {
    if (this.#levels?.topic !== topic) this.#levels = { topic, names: topic.split('/') };
    return this.#levels.names[index] || undefined;
  }
}

/** Unprefixed user properties and the Content Type property (CloudEvents MQTT binding 1.0.2 §3.1). */
function binary(properties: UserProperties, contentType: string | undefined, payload: Buffer): Decoded {
  const draft = newDraft();
  for (const name in properties) {
    if (!isAttribute(name)) continue;
    const value = properties[name] as string | string[];
    if (Array.isArray(value)) {
      throw new FairleadError({ code: 'E_CE_DUPLICATE', message: `the user property "${name}" is given twice` });
    }
    setAttribute(draft, name, value);
  }
  // some producers repeat the content type as a user property
  if (contentType !== undefined) {
    if (draft.datacontenttype !== undefined && draft.datacontenttype !== contentType) {
      throw invalid('datacontenttype', 'differs from the Content Type property');
    }
    if (draft.datacontenttype === undefined) setAttribute(draft, 'datacontenttype', contentType);
  }
  const event = finish(draft, dataOf(payload, draft.datacontenttype));
  return { event, headers: headersOf(properties, (name) => !isAttribute(name)) };
}

function isAttribute(name: string): boolean {
  return isName(name) && name !== 'data';
}

/** MQTT has no "no payload": nothing of no type is no data. */
function dataOf(payload: Buffer, contentType: string | undefined): Buffer | undefined {
  return payload.length === 0 && contentType === undefined ? undefined : payload;
}

/** Worth an attempt to parse: an MQTT 3.1.1 producer cannot say that its JSON is a CloudEvent. */
function looksStructured(payload: Buffer): boolean {
  return payload[0] === 0x7b && payload.includes('"specversion"');
}

function tryJson(payload: Buffer): MeshEvent | undefined {
  try {
    return decodeJson(payload);
  } catch (error) {
    if (error instanceof FairleadError) return undefined; // some other JSON that has the word in it: wrapped
    throw error;
  }
}

function headersOf(
  properties: UserProperties | undefined,
  wanted: (name: string) => boolean,
): Record<string, string> | undefined {
  if (properties === undefined) return undefined;
  let headers: Record<string, string> | undefined;
  for (const name in properties) {
    if (!wanted(name)) continue;
    headers ??= Object.create(null) as Record<string, string>;
    const value = properties[name] as string | string[];
    headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}

function single(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function tooLarge(bytes: number, maxBytes: number): FairleadError {
  return new FairleadError({
    code: 'E_TOO_LARGE',
    message: `the event has ${bytes} bytes, more than "maxEventBytes" ${maxBytes}`,
  });
}
