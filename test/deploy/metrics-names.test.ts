import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { root } from '../../scripts/root.ts'
import { startServer } from '../helper.ts'
import { parseMetrics } from '../metrics/scrape.ts'
import { t } from '../tap.ts'

const TOKEN = 'token-of-the-metrics'
/** Labels that Prometheus itself adds to every metric that it scrapes. */
const TARGET_LABELS = ['instance', 'job']

const deploy = join(root, 'deploy')

interface Panel {
  title: string
  type: string
  targets?: Array<{ expr: string, legendFormat: string }>
  fieldConfig?: { defaults: { unit: string } }
}
interface Dashboard { panels: Panel[], templating: { list: Array<{ name: string, query: string | { query: string } }> } }
interface Alert { alert: string, expr: string, labels: Record<string, string>, annotations: Record<string, string> }

const dashboard: Dashboard = JSON.parse(readFileSync(join(deploy, 'grafana.json'), 'utf8'))
const alerts: Alert[] = parse(readFileSync(join(deploy, 'alerts.yml'), 'utf8')).groups[0].rules
const panels = dashboard.panels.filter(({ type }) => type !== 'row')
const targets = panels.flatMap(({ title, targets = [] }) => targets.map(target => ({ title, ...target })))

const server = await startServer(t, { config: { metrics: { token: TOKEN } } })
const ann = await server.enter('ann', 'general')
await ann.request({ type: 'send_message', channel: 'general', message: 'one' })
await server.call('GET', '/healthz')
const response = await fetch(`${server.origin}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } })
const scrape = parseMetrics(await response.text())

const parts = ['_bucket', '_sum', '_count']
const names = new Set([...scrape.types].flatMap(([name, type]) => type === 'histogram' ? parts.map(part => name + part) : [name]))

/** The labels that a metric has, with their values. */
function labelsOf (name: string): Map<string, Set<string>> {
  const labels = new Map<string, Set<string>>()
  for (const sample of scrape.samples) {
    if (sample.name !== name) continue
    for (const [label, value] of Object.entries(sample.labels)) labels.set(label, (labels.get(label) ?? new Set()).add(value))
  }
  return labels
}

/** Metrics, labels and label values that a query uses but the scrape does not have. */
function faultsOf (query: string): string[] {
  const metrics = [...query.matchAll(/\b((?:parley|process|nodejs)_\w+)(?:\{([^}]*)\})?/g)]
  const faults = metrics.length > 0 || /\bup\{/.test(query) ? [] : ['no metric']
  const known = new Set(TARGET_LABELS)
  for (const [, name = '', selector = ''] of metrics) {
    const labels = labelsOf(name)
    for (const label of labels.keys()) known.add(label)
    if (!names.has(name)) faults.push(name)
    for (const [, label = '', value = ''] of selector.matchAll(/(\w+)=~?"([^"]*)"/g)) {
      if (TARGET_LABELS.includes(label)) continue
      if (!labels.has(label)) faults.push(`${name}{${label}}`)
      // A status has no sample before it occurs. Any other label has all its values from the start.
      else if (label !== 'status') faults.push(...value.split('|').filter(each => !labels.get(label)!.has(each)))
    }
  }
  const grouped = [...query.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/, */))
  return [...faults, ...grouped.filter(label => !known.has(label)).map(label => `by (${label})`)]
}

t.test('every metric and label that the dashboard uses exists', async t => {
  t.ok(panels.length > 20)
  for (const { title, expr, legendFormat } of targets) {
    t.same(faultsOf(expr), [], `${title}: ${expr}`)
    const shown = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label)
    t.same(shown.filter(label => !new RegExp(`by \\([^)]*\\b${label}\\b`).test(expr)), [], `${title}: legend labels are in the query`)
  }
  for (const { title, fieldConfig } of panels) t.ok(fieldConfig?.defaults.unit, `${title} has a unit`)
  const { query } = dashboard.templating.list.find(({ name }) => name === 'instance')! as { query: { query: string } }
  t.match(query.query, /^label_values\(parley_connections, instance\)$/)
})

t.test('every metric and label that the alerts use exists', async t => {
  t.ok(alerts.length > 10)
  for (const { alert, expr, labels, annotations } of alerts) {
    t.same(faultsOf(expr), [], `${alert}: ${expr}`)
    t.match({ labels, annotations }, { labels: { severity: /^(critical|warning|info)$/ }, annotations: { summary: /instance/ } }, alert)
  }
  t.equal(new Set(alerts.map(({ alert }) => alert)).size, alerts.length)
})

t.test('the check finds unknown metrics, labels and label values', async t => {
  t.same(faultsOf('rate(parley_no_such_total[5m])'), ['parley_no_such_total'])
  t.same(faultsOf('parley_sessions{color="open"}'), ['parley_sessions{color}'])
  t.same(faultsOf('sum by (code) (parley_sessions{state="asleep"})'), ['asleep', 'by (code)'])
})

t.test('the dashboard or an alert uses every metric of Parley, and names follow the conventions of Prometheus', async t => {
  const asked = [...targets.map(({ expr }) => expr), ...alerts.map(({ expr }) => expr)].join('\n')
  for (const [name, type] of scrape.types) {
    if (!name.startsWith('parley_')) continue
    t.match(asked, new RegExp(`\\b${name}(_bucket|_sum|_count)?\\b`), name)
    t.equal(name.endsWith('_total'), type === 'counter', `${name} is a ${type}`)
  }
})
