import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { root } from '../../scripts/root.ts'
import { t } from '../tap.ts'
import { npm, type Packed } from './npm.ts'

const manifestOf = (folder: string) => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))

/** Does everything that publishing does, except to send the package. The tag keeps npm from comparing versions with the registry. */
function publish (...args: string[]): string[] {
  const output = JSON.parse(npm(root, 'publish', '--dry-run', '--json', '--tag', 'test', ...args)) as Packed | Record<string, Packed>
  const { files } = 'files' in output ? output as Packed : Object.values(output)[0]!
  return files.map(({ path }) => path)
}

t.test('the server\'s package has what it needs to run, and neither tests nor benchmarks nor sources', async t => {
  const files = publish()
  const needed = ['dist/src/server.js', 'dist/scripts/parley.js', 'prisma/schema.prisma', 'web/dist/index.html', 'LICENSE', 'README.md']
  for (const path of needed) t.ok(files.includes(path), path)
  const folders = new Set(files.map(path => path.split('/').slice(0, 2).join('/')))
  // `npm run build` also writes the declarations of parley/testing, which nothing here needs.
  t.same([...folders].filter(path => !path.startsWith('prisma/') && path !== 'dist/types').sort(), [
    'LICENSE', 'README.md', 'config/websocket.tusk', 'dist/scripts', 'dist/src', 'package.json', 'web/dist'
  ])
  t.same(files.filter(path => /bench|\.test\.|(?<!\.d)\.ts$/.test(path)), [])
})

t.test('the client\'s package has its modules, their types and source maps, and no dependencies', async t => {
  const files = publish('-w', 'client')
  const modules = files.filter(path => /^dist\/.*\.js$/.test(path))
  t.ok(modules.includes('dist/index.js') && modules.includes('dist/testing.js'))
  for (const path of modules) {
    const name = path.replace(/\.js$/, '')
    const parts = [`${name}.js.map`, `${name}.d.ts`, `${name}.d.ts.map`, `${name.replace('dist', 'src')}.ts`]
    t.same(parts.filter(part => !files.includes(part)), [], path)
  }
  t.same(files.filter(path => !/^(dist|src)\/[\w/-]+\.(js|ts|d\.ts)(\.map)?$/.test(path)).sort(), ['LICENSE', 'README.md', 'package.json'])
  const { dependencies, peerDependencies, peerDependenciesMeta, type, sideEffects } = manifestOf('client')
  t.same({ dependencies, peerDependencies, peerDependenciesMeta, type, sideEffects }, {
    dependencies: undefined,
    peerDependencies: { react: '>=18' },
    peerDependenciesMeta: { react: { optional: true } },
    type: 'module',
    sideEffects: ['./dist/worker.js']
  })
  t.equal(readFileSync(join(root, 'client/LICENSE'), 'utf8'), readFileSync(join(root, 'LICENSE'), 'utf8'))
})

/** An expression of a workflow, without the braces that would look like a template's. */
const expression = (text: string): string => `$\{{ ${text} }}`

interface Step { run?: string, uses?: string, if?: string, with?: Record<string, unknown>, env?: Record<string, string> }
interface Job { needs?: string, permissions?: Record<string, string>, steps: Step[] }
interface Workflow { on: object, permissions: Record<string, string>, jobs: Record<string, Job> }

const workflows = join(root, '.github/workflows')
const workflowOf = (file: string): Workflow => parse(readFileSync(join(workflows, file), 'utf8'))
const { on, jobs: { check, packages, image } } = workflowOf('publish.yml')
const stepOf = (job: Job | undefined, action: string): Step => job!.steps.find(({ uses }) => uses?.startsWith(`${action}@`))!

t.test('the workflow publishes both packages with provenance when a version tag is pushed', async t => {
  t.same(on, { push: { tags: ['v*'] }, workflow_dispatch: null })
  t.ok(check!.steps.some(({ run }) => run === '.ci/run'))
  t.equal(packages!.needs, 'check')
  t.same(packages!.permissions, { contents: 'read', 'id-token': 'write' })
  const { run, env } = packages!.steps.at(-1)!
  t.match(run, /^npm publish --workspaces --include-workspace-root --provenance .* \$DRY_RUN$/m)
  t.equal(env!.DRY_RUN, expression("github.event_name != 'push' && '--dry-run' || ''"), 'only a pushed tag publishes')
  t.ok(packages!.steps.some(({ run }) => run === 'npm run build'))
  t.equal(manifestOf('.').version, manifestOf('client').version)
})

t.test('the workflow publishes the image of the Dockerfile with provenance and a list of its parts', async t => {
  t.equal(image!.needs, 'check')
  t.same(image!.permissions, { contents: 'read', packages: 'write', 'id-token': 'write', attestations: 'write' })
  const { with: options } = stepOf(image, 'docker/build-push-action')
  t.match(options, { context: '.', push: expression("github.event_name == 'push'"), provenance: 'mode=max', sbom: true })
  t.notOk('file' in options!, 'it is the Dockerfile that the tests carry out')
  t.match(stepOf(image, 'actions/attest-build-provenance'), {
    if: "github.event_name == 'push'", with: { 'subject-digest': expression('steps.build.outputs.digest'), 'push-to-registry': true }
  })
})

t.test('workflows name each action by its commit, may only read by default, and keep no credentials in the work tree', async t => {
  for (const file of readdirSync(workflows)) {
    const { permissions, jobs } = workflowOf(file)
    t.same(permissions, { contents: 'read' })
    const steps = Object.values(jobs).flatMap(({ steps }) => steps)
    t.same(steps.flatMap(({ uses }) => uses ?? []).filter(uses => !/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/.test(uses)), [])
    for (const { uses, with: options } of steps) {
      if (uses?.startsWith('actions/checkout@')) t.equal(options?.['persist-credentials'], false)
    }
  }
})
