import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { t } from '../tap.ts'

t.test('npm run help describes every script of package.json in one line each', async t => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }
  const lines = execFileSync(process.execPath, ['scripts/help.mjs'], { encoding: 'utf8' }).trimEnd().split('\n')
  t.strictSame(lines.map(line => line.split(/\s+/)[2]), Object.keys(scripts))
})
