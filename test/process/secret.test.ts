import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../../src/config.ts'
import { readSecret } from '../../src/process/secret.ts'
import { StartError } from '../../src/process/start-error.ts'
import { t } from '../tap.ts'

const folder = mkdtempSync(join(tmpdir(), 'parley-secret-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
const configOf = (directory: string, secret = '') => loadConfig({ PARLEY_DATA_DIR: directory, JWT_SECRET: secret }).config

t.test('the secret is made once, is kept in the data directory, and only its owner can read it', async t => {
  const config = configOf(join(folder, 'data'))
  const secret = readSecret(config, false)
  t.match(secret, /^[\w-]{43}$/)
  t.equal(readSecret(config, false), secret)
  t.equal(statSync(join(folder, 'data/jwt_secret')).mode & 0o777, 0o600)
})

t.test('a configured secret is used as it is; an embedded database in memory keeps none', async t => {
  const given = 'a secret of at least thirty-two characters'
  t.equal(readSecret(configOf(join(folder, 'unused'), given), true), given)
  t.not(readSecret(configOf('memory://'), false), readSecret(configOf('memory://'), false))
})

t.test('without a secret the start is refused in production, and where the data directory cannot hold one', async t => {
  t.throws(() => readSecret(configOf(folder), true), new StartError('JWT_SECRET is required in production: text of at least 32 characters'))
  const file = join(folder, 'file')
  writeFileSync(file, '')
  t.throws(() => readSecret(configOf(file), false), { message: /set JWT_SECRET or PARLEY_DATA_DIR/ })
})
