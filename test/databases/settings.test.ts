import { startPgBouncer } from '../pgbouncer.ts'
import { t, type Test } from '../tap.ts'
import { converse, createRole, emptyDatabase, migrate, nameOf, run, startPair, withDatabase } from './conversation.ts'

const server = process.env.TEST_DATABASE_URL ?? ''

/** Settings that others make for their own reasons, and that change what statements mean, return or are allowed to do. */
const SETTINGS: Record<string, string> = {
  TimeZone: "'America/New_York'",
  DateStyle: "'German, DMY'",
  IntervalStyle: "'sql_standard'",
  default_transaction_isolation: "'serializable'",
  default_transaction_deferrable: 'on',
  search_path: "'nowhere'",
  standard_conforming_strings: 'off',
  statement_timeout: "'500ms'",
  lock_timeout: "'1ms'",
  idle_in_transaction_session_timeout: "'1ms'",
  client_encoding: "'LATIN1'",
  bytea_output: "'escape'",
  array_nulls: 'off',
  transform_null_equals: 'on',
  quote_all_identifiers: 'on',
  extra_float_digits: '-15'
}
/** A pooler's session is not Parley's to keep alive. There, Parley gives its own connections back after 10 s without use. */
const DIRECT_SETTINGS = { ...SETTINGS, idle_session_timeout: "'500ms'" }

for (const path of ['directly', 'through PgBouncer in session mode', 'through PgBouncer in transaction mode'] as const) {
  const settings = path === 'directly' ? DIRECT_SETTINGS : SETTINGS
  const urlOf = async (t: Test, url: string): Promise<string> =>
    path === 'directly' ? url : startPgBouncer(t, url, path.includes('session') ? 'session' : 'transaction')

  t.test(`[G19] the settings of a database change nothing, ${path}`, async t => {
    const url = await emptyDatabase(t)
    await change(`DATABASE ${nameOf(url)}`, settings)
    const used = await urlOf(t, url)
    t.ok((await migrate(used)).length > 0)
    await waitInStatement(used)
    await converse(t, await startPair(t, used))
  })

  t.test(`[G19] the settings of a role change nothing, ${path}`, async t => {
    const url = await emptyDatabase(t)
    const owned = await createRole(t, url)
    await run(url, `ALTER DATABASE ${nameOf(url)} OWNER TO ${nameOf(url)}`)
    await change(`ROLE ${nameOf(url)}`, settings)
    const used = await urlOf(t, owned)
    t.ok((await migrate(used)).length > 0)
    await waitInStatement(used)
    await converse(t, await startPair(t, used))
  })
}

for (const [isolation, style] of [['repeatable read', 'SQL, DMY'], ['read uncommitted', 'Postgres, MDY']] as const) {
  t.test(`[G19] default_transaction_isolation ${isolation} and DateStyle ${style} change nothing`, async t => {
    const url = await emptyDatabase(t)
    await change(`DATABASE ${nameOf(url)}`, { default_transaction_isolation: `'${isolation}'`, DateStyle: `'${style}'` })
    await migrate(url)
    await converse(t, await startPair(t, url))
  })
}

t.test('a role for which foreign keys do nothing is refused at the start in one line', async t => {
  const url = await emptyDatabase(t)
  await change(`DATABASE ${nameOf(url)}`, { session_replication_role: 'replica' })
  const message = /^database \S+: session_replication_role is replica, .*: reset it for the role and the database$/
  await t.rejects(migrate(url), { message })
})

/** Runs a statement of Parley's that takes longer than SETTINGS allow. */
function waitInStatement (url: string): Promise<unknown> {
  return withDatabase(url, database => database.query('SELECT pg_sleep(0.6)', []))
}

async function change (owner: string, settings: Record<string, string>): Promise<void> {
  await run(server, ...Object.entries(settings).map(([name, value]) => `ALTER ${owner} SET ${name} = ${value}`))
}
