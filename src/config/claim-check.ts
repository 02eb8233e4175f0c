import { z } from 'zod';
import { byteSize } from '../adapters/fields.ts';

/** Where claims are kept. */
interface ClaimFields {
  readonly store: 'file';
  readonly path: string;
  readonly uri?: string | undefined;
}

export interface TargetClaimFields extends ClaimFields {
  readonly over: number;
  readonly maxBytes: number;
}

export interface SourceClaimFields extends ClaimFields {
  readonly maxDataBytes: number;
}

const place = {
  store: z.enum(['file'], { error: 'expected file' }).describe('Kind of store: `file`, a directory.'),
  path: z
    .string({ error: 'expected the path of a directory' })
    .min(1, { error: 'expected the path of a directory' })
    .describe('The directory, shared with those that read the references. It is made when it is not there.'),
  uri: z
    .string()
    .regex(/^[a-z][a-z0-9+.-]*:\S*\/$/, { error: 'expected a URI that ends in "/", e.g. https://claims.example.com/' })
    .optional()
    .describe("What stands before a file's name in a reference; default the `file:` URL of the directory."),
};

/** `claimCheck` of a target. */
export const targetClaimCheck: z.ZodType<TargetClaimFields | undefined> = z
  .strictObject(
    {
      ...place,
      over: byteSize({ min: 1 })
        .prefault('192KiB')
        .describe(
          'Data of more bytes than this is kept in the store instead of being sent. Base64 adds a third, attributes come on top.',
        ),
      maxBytes: byteSize({ min: 1024 })
        .prefault('10GiB')
        .describe('Most bytes in the directory. When it is full the lane waits for room; nothing is deleted here.'),
    },
    { error: 'expected claim-check settings, e.g. { store: file, path: /var/lib/fairlead/claims }' },
  )
  .optional()
  .describe('Keeps data that is too large for the target in a store and sends the event with `dataref` instead of it.');

/** `claimCheck` of a source. */
export const sourceClaimCheck: z.ZodType<SourceClaimFields | undefined> = z
  .strictObject(
    {
      ...place,
      maxDataBytes: byteSize({ min: 1 })
        .prefault('16MiB')
        .describe('Largest data fetched; an event with larger data is dead-lettered.'),
    },
    { error: 'expected claim-check settings, e.g. { store: file, path: /var/lib/fairlead/claims }' },
  )
  .optional()
  .describe(
    'Fetches the data of events whose `dataref` leads into this store. Without it a `dataref` is passed on as it is.',
  );
