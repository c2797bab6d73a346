import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, parseAllDocuments } from 'yaml'
import { root } from '../../scripts/root.ts'
import { loadConfig } from '../../src/config.ts'
import { t } from '../tap.ts'

const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const { server, performance: { connection_timeout: timeout, heartbeat_interval: heartbeat } } = loadConfig({}).config
/** Values that a platform makes up by itself. */
const SECRET = 'x'.repeat(44)
const DATABASE = 'postgresql://parley:secret@database:5432/parley'
const REDIS = 'redis://redis:6379'

/** Every command that the files run is a script of the image. */
const scripts = (text: string): string[] => [...text.matchAll(/dist\/(\S+?)\.js/g)].map(([, path]) => `${path}.ts`)

/** The keys of an object that are not among those that the platform's documentation lists. */
const unknown = (object: object, documented: string[]): string[] => Object.keys(object).filter(key => !documented.includes(key))

interface Variable { name: string, value?: string, valueFrom?: { secretKeyRef: { name: string, key: string } } }
interface Probe { httpGet: { path: string, port: string }, periodSeconds: number, timeoutSeconds?: number, failureThreshold: number }
interface Container {
  image: string
  command?: string[]
  env: Variable[]
  ports: Array<{ name: string, containerPort: number }>
  startupProbe: Probe
  livenessProbe: Probe
  readinessProbe: Probe
  lifecycle: { preStop: { exec: { command: string[] } } }
}
interface Resource {
  kind: string
  metadata: { name: string, annotations?: Record<string, string> }
  // Kubernetes has a shape of its own for each kind, and the tests read a few fields of four of them.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  spec: any
}

t.test('kubernetes.yaml: its parts find each other, there is time to drain, and the proxy waits longer than Parley', async t => {
  const text = read('deploy/kubernetes.yaml')
  const resources = parseAllDocuments(text).map(document => {
    t.same(document.errors, [])
    return document.toJS() as Resource
  })
  const of = (kind: string): Resource => resources.find(resource => resource.kind === kind)!
  const { replicas, selector, template: { metadata: { labels, annotations }, spec: pod } } = of('Deployment').spec
  const [container] = pod.containers as [Container]
  const ports = Object.fromEntries(container.ports.map(({ name, containerPort }) => [name, containerPort]))

  for (const { matchLabels } of [selector, of('PodDisruptionBudget').spec.selector, { matchLabels: of('Service').spec.selector }]) {
    t.match(labels, matchLabels)
  }
  t.ok(of('PodDisruptionBudget').spec.maxUnavailable < replicas)
  const [servicePort] = of('Service').spec.ports
  t.ok(servicePort.targetPort in ports)
  const ingress = of('Ingress')
  t.same(ingress.spec.rules[0].http.paths[0].backend.service, { name: of('Service').metadata.name, port: { name: servicePort.name } })
  for (const name of ['read', 'send']) {
    t.ok(Number(ingress.metadata.annotations![`nginx.ingress.kubernetes.io/proxy-${name}-timeout`]) > timeout + heartbeat)
  }

  const [, seconds] = container.lifecycle.preStop.exec.command
  t.ok(pod.terminationGracePeriodSeconds > Number(seconds) + server.drain_timeout)
  t.ok(Number.isInteger(pod.securityContext.runAsUser), 'Kubernetes cannot tell from a name that the user is not root')
  const { startupProbe, livenessProbe, readinessProbe } = container
  t.same([startupProbe, livenessProbe, readinessProbe].map(({ httpGet }) => httpGet.path), ['/healthz', '/healthz', '/readyz'])
  t.ok([startupProbe, livenessProbe, readinessProbe].every(({ httpGet: { port } }) => port in ports))

  t.match(container.image, `/parley:${JSON.parse(read('package.json')).version}`, 'npm run release writes the version')
  const [migrate] = pod.initContainers as [Container]
  for (const { image, env } of [migrate, container]) {
    t.equal(image, container.image)
    const secrets = env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef.key ?? [])
    t.ok(secrets.every(key => text.includes(`--from-literal=${key}=`)), 'the command at the top makes each part of the secret')
    const { config, warnings } = loadConfig({
      ...Object.fromEntries(env.flatMap(({ name, value }) => value === undefined ? [] : [[name, value]])),
      JWT_SECRET: SECRET, DATABASE_URL: DATABASE, REDIS_URL: REDIS
    })
    t.same(warnings, [])
    t.same([config.server.port, config.metrics.port], [ports.http, ports.metrics])
    t.equal(annotations['prometheus.io/port'], String(ports.metrics))
    t.not(config.server.trust_proxy, 'false')
  }
  for (const path of scripts(migrate.command!.join(' '))) t.ok(read(path))
})

interface RenderVariable {
  key: string
  value?: string
  generateValue?: boolean
  fromDatabase?: { name: string, property: string }
  fromService?: { type: string, name: string, property: string }
}
interface RenderService { type: string, name: string, region: string, envVars?: RenderVariable[], [field: string]: unknown }

t.test('render.yaml: every field is a documented one, its parts find each other, and there is time to drain', async t => {
  const file = parse(read('render.yaml')) as { services: RenderService[], databases: RenderService[] }
  const [web, redis] = file.services as [RenderService, RenderService]
  const [database] = file.databases as [RenderService]
  t.same(unknown(file, ['services', 'databases']), [])
  t.same(unknown(web, [
    'type', 'name', 'runtime', 'region', 'plan', 'numInstances', 'preDeployCommand', 'healthCheckPath', 'maxShutdownDelaySeconds', 'envVars'
  ]), [])
  t.same(unknown(redis, ['type', 'name', 'region', 'plan', 'maxmemoryPolicy', 'ipAllowList']), [])
  t.same(unknown(database, ['name', 'region', 'plan', 'postgresMajorVersion', 'ipAllowList']), [])
  t.match(web, { type: 'web', runtime: 'docker', healthCheckPath: '/healthz', region: database.region })
  t.match(redis, { type: 'keyvalue', maxmemoryPolicy: 'noeviction', region: database.region })
  const delay = web.maxShutdownDelaySeconds as number
  t.ok(delay > server.drain_timeout && delay <= 300)
  for (const path of scripts(web.preDeployCommand as string)) t.ok(read(path))

  const values = web.envVars!.map(({ key, value, generateValue, fromDatabase, fromService }) => {
    if (fromDatabase) t.same(fromDatabase, { name: database.name, property: 'connectionString' })
    if (fromService) t.same(fromService, { type: redis.type, name: redis.name, property: 'connectionString' })
    return [key, value ?? (generateValue ? SECRET : fromDatabase ? DATABASE : REDIS)]
  })
  const { config, warnings } = loadConfig(Object.fromEntries(values))
  t.same(warnings, [])
  t.ok(config.authentication.jwt_secret && config.database.url && config.redis.url)
  t.match(config.server, { workers: 1, trust_proxy: /^uniquelocal,/ })
})

interface HerokuVariable { description: string, value?: string, generator?: string, required?: boolean }

t.test('app.json and Procfile: every field is a documented one, and Heroku gives 30 s to drain', async t => {
  const file = JSON.parse(read('app.json')) as { env: Record<string, HerokuVariable>, formation: Record<string, object> }
  t.same(unknown(file, ['name', 'description', 'keywords', 'success_url', 'buildpacks', 'stack', 'formation', 'addons', 'env']), [])
  for (const variable of Object.values(file.env)) t.same(unknown(variable, ['description', 'value', 'generator', 'required']), [])
  const set = Object.entries(file.env).flatMap(([name, { value, generator }]) => value ?? generator ? [[name, value ?? SECRET]] : [])
  const { config, warnings } = loadConfig({ ...Object.fromEntries(set), DATABASE_URL: DATABASE, REDIS_URL: 'rediss://:secret@redis:6379' })
  t.same(warnings, [])
  t.match(config, { server: { trust_proxy: 'uniquelocal', workers: 1 }, redis: { tls_verify: false } })
  // The smallest plans of both allow 20 connections, and a deploy starts the new dyno before it stops the old.
  t.ok(2 * (config.redis.pool_size + 3) <= 20 && 2 * config.database.pool_size < 20)
  t.ok(server.drain_timeout < 30)

  const commands = Object.fromEntries(read('Procfile').trim().split('\n').map(line => line.split(': ') as [string, string]))
  t.same(Object.keys(commands), ['release', 'web'])
  t.ok(Object.keys(file.formation).every(name => name in commands))
  for (const path of scripts(Object.values(commands).join(' '))) t.ok(read(path))
})
