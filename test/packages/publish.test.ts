import { readFileSync } from 'node:fs'
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

t.test('the workflow publishes both packages with provenance when a version tag is pushed', async t => {
  const workflow = parse(readFileSync(join(root, '.github/workflows/publish.yml'), 'utf8'))
  t.same(workflow.on, { push: { tags: ['v*'] } })
  t.match(workflow.permissions, { 'id-token': 'write', contents: 'read' })
  const runs = workflow.jobs.publish.steps.flatMap(({ run }: { run?: string }) => run ?? []) as string[]
  t.match(runs.at(-1), /^npm publish --workspaces --include-workspace-root --provenance/)
  t.ok(runs.indexOf('.ci/run') < runs.indexOf('npm run build'), 'it publishes what was built last')
  t.equal(manifestOf('.').version, manifestOf('client').version)
})
