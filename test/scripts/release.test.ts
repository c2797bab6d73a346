import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../scripts/root.ts'
import { t, type Test } from '../tap.ts'

const FILES = [
  'package.json', 'package-lock.json', '.npmrc', 'client/package.json', 'web/package.json', 'CHANGELOG.md', 'deploy/kubernetes.yaml',
  'scripts/release.mjs', 'scripts/setup.mjs'
]
const env = {
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  ...Object.fromEntries(['AUTHOR', 'COMMITTER'].flatMap(who => [[`GIT_${who}_NAME`, 'Ann'], [`GIT_${who}_EMAIL`, 'ann@example.org']]))
}

/** A repository of one commit with the files that a release changes. */
function createRepository (t: Test) {
  const folder = t.testdir({})
  for (const path of FILES) cpSync(join(root, path), join(folder, path))
  const read = (path: string): string => readFileSync(join(folder, path), 'utf8')
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: folder, env, encoding: 'utf8', stdio: 'pipe' }).trim()
  // The changelog of this checkout may be that of a release.
  writeFileSync(join(folder, 'CHANGELOG.md'), read('CHANGELOG.md').replace(/^## Unreleased\n+(?!\n|###)/m, '$&### Added\n- A thing.\n\n'))
  git('init', '--quiet')
  git('add', '.')
  git('commit', '--quiet', '--message', 'all')
  const options = { cwd: folder, env, encoding: 'utf8' } as const
  const release = (...args: string[]) => spawnSync(process.execPath, ['scripts/release.mjs', ...args], options)
  return { folder, read, git, release }
}

const versionIn = (text: string): string => (JSON.parse(text) as { version: string }).version

t.test('npm run release gives all packages the version, dates the changelog, and makes one commit with a tag', async t => {
  const { read, git, release } = createRepository(t)
  const { status, stdout, stderr } = release('99.1.0')
  t.equal(status, 0, stderr)
  t.match(stdout, 'v99.1.0 is committed and tagged')
  const manifests = ['package.json', 'client/package.json', 'web/package.json', 'package-lock.json']
  t.ok(manifests.every(path => versionIn(read(path)) === '99.1.0'))
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, { version: string }> }
  t.same(['', 'client', 'web'].map(path => packages[path]!.version), ['99.1.0', '99.1.0', '99.1.0'])
  t.match(read('CHANGELOG.md'), /^## Unreleased\n\n## 99\.1\.0 - \d{4}-\d\d-\d\d\n\n###/m)
  t.match(read('deploy/kubernetes.yaml'), '/parley:99.1.0\n')
  t.equal(git('status', '--porcelain'), '')
  t.equal(git('describe', '--exact-match'), 'v99.1.0')
  t.equal(git('log', '-1', '--format=%s'), 'release: 99.1.0')

  const again = release('patch')
  t.match(again, { status: 1, stderr: 'CHANGELOG.md lists nothing as unreleased' })
})

t.test('npm run release does nothing in a changed work tree, or without a version', async t => {
  const { folder, git, release } = createRepository(t)
  t.match(release(), { status: 1, stderr: /^parley: usage: / })
  writeFileSync(join(folder, 'package.json'), '{}')
  t.match(release('minor'), { status: 1, stderr: 'commit or remove your changes first' })
  t.equal(git('tag', '--list'), '')
})
