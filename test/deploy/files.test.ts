import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { root } from '../../scripts/root.ts'
import { loadConfig } from '../../src/config.ts'
import { t } from '../tap.ts'
import { configuration } from './nginx.ts'

const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const { server } = loadConfig({}).config

/** The number assigned to this name, in a file that is not YAML. */
function numberOf (text: string, name: string): number {
  return Number(new RegExp(`^${name} ?= ?"?(\\d+)"?$`, 'm').exec(text)?.[1])
}

interface Service {
  environment?: Record<string, string>
  networks: string[] | Record<string, { ipv4_address: string }>
  depends_on?: Record<string, { condition: string }>
  healthcheck?: { test: string[] }
  volumes?: string[]
  ports?: string[]
  stop_grace_period?: string
}

t.test('docker-compose.yml: its services fit together and set what Parley reads', async t => {
  const { services, volumes, networks } = parse(read('docker-compose.yml'), { merge: true }) as {
    services: Record<string, Service>, volumes: object, networks: { parley: { ipam: { config: [{ subnet: string }] } } }
  }
  const upstreams = [...configuration.matchAll(/server (\S+):8080/g)].map(([, name]) => name!)
  t.same([...new Set(upstreams)].sort(), Object.keys(services).filter(name => name.startsWith('parley')).sort())
  t.same(Object.keys(services).filter(name => services[name]!.ports), ['nginx'], 'only nginx publishes ports')

  const addresses = Object.values(services).flatMap(({ networks }) => Array.isArray(networks) ? [] : [networks.parley!.ipv4_address])
  t.equal(new Set(addresses).size, 3)
  const [{ subnet }] = networks.parley.ipam.config
  t.ok(addresses.every(address => address.startsWith(subnet.replace('0/24', ''))))

  for (const [name, { depends_on: needs = {}, volumes: mounts = [] }] of Object.entries(services)) {
    for (const [needed, { condition }] of Object.entries(needs)) {
      t.equal(condition, 'service_healthy')
      // The image of a Parley instance has its own health check.
      t.ok(needed.startsWith('parley') || services[needed]!.healthcheck, `${name} waits for ${needed}, which has a health check`)
    }
    for (const mount of mounts) {
      const [source = ''] = mount.split(':')
      t.ok(source.startsWith('./') ? read(source) : source in volumes, mount)
    }
  }

  for (const name of new Set(upstreams)) {
    const { environment = {}, stop_grace_period: grace } = services[name]!
    const required = [...Object.values(environment).join(' ').matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name)
    t.ok(required.length > 0 && required.every(name => read('.env.example').includes(`\n${name}=\n`)), '.env.example has every variable')
    const { config } = loadConfig(Object.fromEntries(Object.entries(environment).map(([key, value]) =>
      [key, value.replace(/\$\{[^}]+\}/g, 'x'.repeat(32))])))
    t.equal(config.server.trust_proxy, (services.nginx!.networks as Record<string, { ipv4_address: string }>).parley!.ipv4_address)
    t.equal(new URL(config.database.url!).hostname, 'postgres')
    t.equal(new URL(config.redis.url!).hostname, 'redis')
    t.ok(parseInt(grace!) > server.drain_timeout)
  }
})

t.test('Dockerfile: every `npm ci` has the manifests of all workspaces, without which it installs nothing for them', async t => {
  const { workspaces } = JSON.parse(read('package.json')) as { workspaces: string[] }
  const [, ...stages] = read('Dockerfile').split(/^FROM /m)
  const installing = stages.map(stage => stage.split(/^RUN npm ci/m)).filter(({ length }) => length > 1)
  t.equal(installing.length, 2)
  for (const workspace of workspaces) {
    for (const [before] of installing) t.match(before, `COPY ${workspace}/package.json ${workspace}/\n`)
    t.match(read('.dockerignore'), `\n!${workspace}/\n`)
  }
})

t.test('fly.toml: there is time to drain, and its limits are below the connections that an instance accepts', async t => {
  const text = read('fly.toml')
  t.ok(numberOf(text, 'kill_timeout') > server.drain_timeout)
  t.ok(numberOf(text, 'soft_limit') < numberOf(text, 'hard_limit'))
  t.ok(numberOf(text, 'hard_limit') < server.max_connections)
  const { config } = loadConfig(Object.fromEntries([...text.matchAll(/^([A-Z_]+) = "(.*)"$/gm)].map(([, name, value]) => [name, value])))
  t.equal(config.server.port, numberOf(text, 'internal_port'))
  t.equal(config.metrics.port, numberOf(text, 'port'))
  t.not(config.server.trust_proxy, 'false')
})

t.test('parley.service: there is time to drain, a descriptor for every connection, and systemd accepts the file', async t => {
  const text = read('deploy/parley.service')
  t.ok(numberOf(text, 'TimeoutStopSec') > server.drain_timeout)
  t.ok(numberOf(text, 'LimitNOFILE') > server.max_connections)
  // Node lists the machine's addresses over such a socket when it listens on 0.0.0.0.
  t.match(text, /^RestrictAddressFamilies=.*\bAF_NETLINK\b/m)
  const { stderr, error } = spawnSync('systemd-analyze', ['verify', join(root, 'deploy/parley.service')], { encoding: 'utf8' })
  if (error) return t.comment('systemd is not installed')
  // Node may be installed elsewhere on this machine, and problems of other units do not matter here.
  t.same(stderr.split('\n').filter(line => line.includes('parley.service') && !line.includes('is not executable')), [])
})
