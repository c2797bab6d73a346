import { collectDefaultMetrics, Registry } from 'prom-client'
import { metrics, type MetricSchema } from '../src/schemas/metrics.ts'
import { cell, table } from './markdown.ts'

const INTRODUCTION = `# Metrics

This page is made of \`src/schemas/metrics.ts\` by \`npm run generate\`. Do not edit it.

Metrics are for Prometheus. [configuration.md](configuration.md#metrics) says where they are served, and
[operating.md](operating.md#watch-it) what to watch. One scrape has the values of all workers: they are summed, except where
this page says that the largest or the smallest counts.

## Parley
`

const AGGREGATES = { sum: '', max: '; the largest of all workers', min: '; the smallest of all workers' }

/** Makes the text of docs/metrics.md: a table of Parley's own metrics, and one of those of the process. */
export async function metricsPage (): Promise<string> {
  const own = Object.entries<MetricSchema>(metrics).map(([name, { type, labels, help, aggregator }]) =>
    [`\`${name}\``, type, Object.entries(labels).map(([label, schema]) => `\`${label}\`: ${valuesOf(schema)}`).join('; '),
      `${help}${AGGREGATES[aggregator]}`].map(cell))
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const others = (await registry.getMetricsAsJSON()).map(({ name, type, help }) => [`\`${name}\``, `${type}`, help].map(cell))
  return `${INTRODUCTION}
${table(['name', 'type', 'labels', 'meaning'], own)}
## Process

These come from Node by prom-client.

${table(['name', 'type', 'meaning'], others)}`
}

function valuesOf ({ anyOf, description }: MetricSchema['labels'][string]): string {
  return description ?? anyOf.map((value: { const: string }) => `\`${value.const}\``).join(', ')
}
