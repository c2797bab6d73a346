// `npm run coverage`: runs the tests and prints which lines of src/ neither they nor the servers that they start executed.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './setup.mjs'

const records = mkdtempSync(join(tmpdir(), 'parley-coverage-'))
const run = (args, env = process.env) => spawnSync(process.execPath, args, { cwd: root, env, stdio: 'inherit' }).status ?? 1

try {
  const tests = run(['scripts/test.mjs', ...process.argv.slice(2)], { ...process.env, NODE_V8_COVERAGE: records })
  const report = run(['node_modules/.bin/c8', 'report', '--temp-directory', records, '--reports-dir', join(records, 'report'),
    '--include', 'src/**', '--exclude', 'src/generated/**', '--exclude-after-remap', '--all=false', '--reporter=text'])
  process.exitCode = tests || report
} finally {
  rmSync(records, { recursive: true, force: true })
}
