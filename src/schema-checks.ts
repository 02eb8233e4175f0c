import type { Environment } from './components.ts';
import type { GatewayConfig } from './config/types.ts';
import type { CheckItem } from './core/source.ts';
import { RouteValidators } from './schema/route-validators.ts';

/** Whether the schemas that routes name can be had and used. Close it. */
export class SchemaChecks {
  /** The routes with a schema that is not of their events' own naming. */
  readonly routes: readonly { readonly name: string; check(): Promise<CheckItem[]> }[];
  readonly #validators: RouteValidators;

  constructor({ routes, schemas }: GatewayConfig, { clock, random, log }: Environment) {
    this.#validators = new RouteValidators({ ...schemas, clock, random, log });
    this.routes = routes.flatMap(({ name, schema }) => {
      if (schema?.kind !== 'schema') return [];
      return [{ name, check: async () => [await this.#validators.check(schema)] }];
    });
  }

  close(): Promise<void> {
    return this.#validators.close();
  }
}
