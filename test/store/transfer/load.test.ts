import type { Database, LongTransaction } from '../../../src/store/client.ts'
import type { Dump } from '../../../src/store/transfer/dump.ts'
import type { LoadOptions } from '../../../src/store/transfer/load.ts'
import { emptyAtFirst, tableNames } from '../../../src/store/transfer/tables.ts'
import { t } from '../../tap.ts'
import { loadInto, openEmbedded, openPostgres, withDump } from './copying.ts'
import { contentOf, fill } from './filled.ts'

interface CopyOptions extends Partial<LoadOptions> {
  alterDump?: (dump: Dump) => Dump
  alterTarget?: (transaction: LongTransaction) => LongTransaction
}

/** A source that has rows in every table, and that no test changes. */
const source = await openEmbedded(t)
await fill(source)

/** Copies everything from one database into another. */
function copy (source: Database, target: Database, { alterDump = dump => dump, ...options }: CopyOptions = {}) {
  return withDump(source, dump => loadInto(target, alterDump(dump), options))
}

t.test('the tables of a copy are all tables of a migrated database, and only those that migrations fill have rows', async t => {
  const { query } = await openPostgres(t)
  const rows = await query<{ name: string }>(
    "SELECT table_name::text AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'", [])
  t.same(rows.map(({ name }) => name).sort(), [...tableNames].sort())
  for (const name of tableNames) {
    const [row] = await query(`SELECT 1 FROM "${name}" LIMIT 1`, [])
    t.equal(row === undefined, emptyAtFirst.includes(name), name)
  }
})

t.test('every table arrives as it was, from the embedded database in PostgreSQL and back', async t => {
  const [postgres, back] = [await openPostgres(t), await openEmbedded(t)]
  const content = await contentOf(source)
  t.same(Object.keys(content).filter(name => content[name]!.length === 0), [], 'no table is empty')
  let last = 0
  const rows = await copy(source, postgres, { onProgress (done, all) { last = done / all } })
  t.equal(last, 1)
  t.equal(rows.get('User'), 1001)
  t.same(await contentOf(postgres), content)
  t.notOk((await postgres.query('SELECT 1 FROM pg_trigger WHERE tgenabled = \'D\'', []))[0], 'triggers work again')
  await t.rejects(copy(source, postgres), /the target is not empty: it has rows in \w+\. --replace removes/)
  await copy(postgres, back)
  t.same(await contentOf(back), content)
  await back.query('DELETE FROM "User" WHERE email IS NULL', [])
  await copy(back, postgres, { replace: true })
  t.same(await contentOf(postgres), await contentOf(back))
})

t.test('a copy that is interrupted, or that does not arrive as it was, leaves the target empty, and can be repeated', async t => {
  const target = await openPostgres(t)
  const empty = await contentOf(target)

  const interruption = new AbortController()
  const signal = interruption.signal
  const onProgress = (): void => interruption.abort(new Error('interrupted'))
  await t.rejects(copy(source, target, { signal, onProgress }), /interrupted/)

  /** A target that changes something after the rows of User are written. */
  const altering = (statement: string) => ({ query, end }: LongTransaction): LongTransaction => ({
    end,
    async query (text, values) {
      const rows = await query(text, values)
      if (text.startsWith('INSERT INTO "User"')) await query(statement, [])
      return rows as never
    }
  })
  await t.rejects(copy(source, target, { alterTarget: altering('DELETE FROM "User" WHERE name = \'guest 7\'') }), /User has 1000 rows/)
  await t.rejects(copy(source, target, { alterTarget: altering('UPDATE "User" SET disconnects = 1') }), /User has other rows/)
  const header = (change: Partial<Dump['header']>) => ({ alterDump: (dump: Dump) => ({ ...dump, header: { ...dump.header, ...change } }) })
  await t.rejects(copy(source, target, header({ rows: 1 })), /rows instead of 1/)
  await t.rejects(copy(source, target, header({ migrations: [] })), /of an older release/)
  await t.rejects(copy(source, target, header({ tables: [] })), /the tables differ/)
  t.same(await contentOf(target), empty)
  await copy(source, target)
  t.same(await contentOf(target), await contentOf(source))
})

t.test('a database that a server uses, such as the source itself, is not replaced', async t => {
  const database = await openPostgres(t)
  await fill(database)
  const content = await contentOf(database)
  await t.rejects(copy(database, database, { replace: true }), /another session uses the target’s tables/)
  t.same(await contentOf(database), content)
})
