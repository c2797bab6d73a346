// `npm run release -- minor` (or patch, major, or a version such as 1.0.0-rc.1) makes the commit and the tag of a release: all packages get
// the new version, and what CHANGELOG.md lists as unreleased gets its heading. It pushes nothing. The pushed tag starts publish.yml.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fail, root } from './setup.mjs'

const [wanted] = process.argv.slice(2)
if (!/^(patch|minor|major|\d+\.\d+\.\d+(-[0-9a-z.-]+)?)$/.test(wanted ?? '')) {
  fail('usage: npm run release -- patch, minor, major or a version')
}
if (run('git', 'status', '--porcelain') !== '') fail('commit or remove your changes first: a release is made of what is committed')
if (!/^## Unreleased\n+###/m.test(read('CHANGELOG.md'))) fail('CHANGELOG.md lists nothing as unreleased')

const before = versionOf()
run('npm', 'version', wanted, '--no-git-tag-version', '--workspaces', '--include-workspace-root', '--no-workspaces-update')
const version = versionOf()
// Without an update of all workspaces, npm changes only the root's own entry.
const lock = JSON.parse(read('package-lock.json'))
for (const path of JSON.parse(read('package.json')).workspaces) lock.packages[path].version = version
write('package-lock.json', `${JSON.stringify(lock, null, 2)}\n`)

const today = new Date().toISOString().slice(0, 10)
write('CHANGELOG.md', read('CHANGELOG.md').replace('## Unreleased\n', `## Unreleased\n\n## ${version} - ${today}\n`))
write('deploy/kubernetes.yaml', read('deploy/kubernetes.yaml').replace(`/parley:${before}\n`, `/parley:${version}\n`))
run('git', 'commit', '--quiet', '--all', '--message', `release: ${version}`)
run('git', 'tag', '--annotate', `v${version}`, '--message', `Parley ${version}`)
console.log(`v${version} is committed and tagged. To publish it: git push --follow-tags`)

function read (path) {
  return readFileSync(join(root, path), 'utf8')
}

function write (path, text) {
  writeFileSync(join(root, path), text)
}

function versionOf () {
  return JSON.parse(read('package.json')).version
}

function run (command, ...args) {
  try {
    return execFileSync(command, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
  } catch (error) {
    fail(`${command} ${args[0]}: ${error.stderr?.trim() || error.message}`)
  }
}
