import { loadConfig } from '../../src/config.ts'
import { openDatabase } from '../../src/store/client.ts'
import { createDataDirectory } from '../embedded.ts'
import { t } from '../tap.ts'
import { admin } from './run.ts'

t.test('on the embedded database the command fails with one line while a server uses it, and works otherwise', async t => {
  const directory = await createDataDirectory(t)
  const database = await openDatabase({ ...loadConfig({}).config.database, data_dir: directory })
  await database.prisma.user.create({ data: { email: 'ann@example.org', name: 'Ann' } })
  t.same(await admin({ PARLEY_DATA_DIR: directory }, 'promote', 'ann@example.org', 'moderator'), {
    code: 1, stdout: '', stderr: `parley: ${directory}: in use by another Parley process; stop it, or set PARLEY_DATA_DIR or DATABASE_URL\n`
  })
  await database.close()
  t.same(await admin({ PARLEY_DATA_DIR: directory }, 'promote', 'ann@example.org', 'moderator'),
    { code: 0, stdout: 'ann@example.org  moderator  enabled  Ann\n', stderr: '' })
})
