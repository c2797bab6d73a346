import { createDatabase } from '../helper.ts'
import { startPgBouncer } from '../pgbouncer.ts'
import { loadInto, openPostgres, withDump } from '../store/transfer/copying.ts'
import { contentOf, fill } from '../store/transfer/filled.ts'
import { t } from '../tap.ts'

t.test('[G19] a copy through PgBouncer in transaction mode arrives as it was, also in another schema of the same database', async t => {
  const url = await startPgBouncer(t, await createDatabase(t), 'transaction')
  const [source, target] = [await openPostgres(t, url), await openPostgres(t, `${url}?schema=other`)]
  await target.migrate()
  await fill(source)
  await withDump(source, async dump => {
    await source.query('DELETE FROM "User" WHERE email IS NULL', [])
    const rows = await loadInto(target, dump)
    t.equal(rows.get('User'), 1001, 'the copy is of the moment at which it began')
  })
  const { User: users, ...arrived } = await contentOf(target)
  const { User: left, ...rest } = await contentOf(source)
  t.same(arrived, rest)
  t.equal(users!.length - left!.length, 1000)
})
