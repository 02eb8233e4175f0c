// Who may import whom (docs/architecture.md). scripts/check.mjs fails if no module was looked at.
const client = 'node_modules/(kafkajs|snappy|lz4-napi|@bokuweb|amqplib|mqtt|@aws-sdk|@smithy|avsc)/';
const layer = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { path: '^src/', pathNot: allowed },
});
/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    layer('core-imports-nothing', '^src/core/', '^src/core/'),
    layer('cloudevents-imports-core', '^src/cloudevents/', '^src/(core|cloudevents)/'),
    layer('router-imports-core', '^src/router/', '^src/(core|router)/'),
    layer('claims-import-core-and-cloudevents', '^src/claims/', '^src/(core|cloudevents|claims)/'),
    layer('transform-imports-core-and-cloudevents', '^src/transform/', '^src/(core|cloudevents|transform)/'),
    layer('policies-import-core', '^src/policies/', '^src/(core|policies)/'),
    layer('models-import-core-and-read-telemetry', '^src/models/', '^src/(core|models)/|^src/telemetry/read\\.ts$'),
    layer('simulation-imports-core', '^src/simulation/', '^src/(core|simulation)/'),
    layer('store-imports-core', '^src/store/', '^src/(core|store)/'),
    layer('telemetry-imports-core', '^src/telemetry/', '^src/(core|telemetry)/'),
    layer('pipeline-imports-core', '^src/pipeline/', '^src/(core|pipeline)/'),
    layer('schema-imports-core-and-fetch', '^src/schema/', '^src/(core|fetch|schema)/'),
    layer('fetch-imports-core', '^src/fetch/', '^src/(core|fetch)/'),
    layer('observability-imports-core', '^src/observability/', '^src/(core|observability)/'),
    layer(
      'config-imports',
      '^src/config/',
      '^src/(core|config)/|^src/adapters/(spec|fields|registry)\\.ts$|^src/(router|schema|transform)/check\\.ts$',
    ),
    {
      name: 'adapter-imports-no-sibling',
      severity: 'error',
      from: { path: '^src/adapters/([^/]+)/' },
      to: { path: '^src/', pathNot: '^src/(core|cloudevents|fetch)/|^src/adapters/(spec|fields)\\.ts$|^src/adapters/$1/' },
    },
    {
      name: 'cli-and-admin-speak-to-the-app',
      severity: 'error',
      from: { path: '^src/(cli|admin)/' },
      to: { path: '^src/(pipeline|router|policies|models)/' },
    },
    {
      name: 'only-adapters-import-clients',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/adapters/' },
      to: { path: client },
    },
    {
      name: 'only-transforms-import-jsonata',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/transform/jsonata/' },
      to: { path: 'node_modules/jsonata/' },
    },
    {
      name: 'only-telemetry-imports-parquet',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/telemetry/' },
      to: { path: 'node_modules/hyparquet' },
    },
    {
      name: 'only-tracing-imports-opentelemetry',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/observability/tracing/' },
      to: { path: 'node_modules/@opentelemetry/' },
    },
    {
      name: 'only-the-scorer-imports-onnxruntime',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/models/scorer\\.ts$' },
      to: { path: 'node_modules/onnxruntime' },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
  },
};
