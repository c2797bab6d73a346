import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { readDump, writeDump } from '../../../src/store/transfer/file.ts'
import { t } from '../../tap.ts'
import { loadInto, openEmbedded, openPostgres, withDump } from './copying.ts'
import { contentOf, fill } from './filled.ts'

/** A source that has rows in every table, and that no test changes. */
const source = await openEmbedded(t)
await fill(source)

/** Writes everything in the source into a file. */
function write (path: string): Promise<void> {
  return withDump(source, dump => writeDump(dump, path, { onProgress: () => {}, signal: new AbortController().signal }))
}

t.test('what was written to a file is read into a database as it was, and only its owner may read the file', async t => {
  const target = await openPostgres(t)
  const path = join(t.testdir(), 'backup.gz')
  await write(path)
  t.equal(statSync(path).mode & 0o777, 0o600)
  await loadInto(target, await readDump(path))
  t.same(await contentOf(target), await contentOf(source))
})

t.test('a file that is damaged, cut off or no backup is refused in one line, and the target stays empty', async t => {
  const target = await openEmbedded(t)
  const folder = t.testdir()
  const [whole, other] = [join(folder, 'whole.gz'), join(folder, 'other.gz')]
  await write(whole)
  const bytes = readFileSync(whole)
  const changed = Buffer.from(bytes)
  changed[changed.length - 6]! ^= 1
  const empty = await contentOf(target)
  const files: Array<[string, Uint8Array, RegExp]> = [
    ['text', Buffer.from('hello'), /cannot be read: incorrect header check/],
    ['nothing', Buffer.alloc(0), /is no backup|cannot be read/],
    ['another gzip file', gzipSync('{"rows":1}\n'), /is no backup of this version/],
    ['a cut gzip file', bytes.subarray(0, bytes.length >> 1), /cannot be read: unexpected end of file/],
    ['another checksum', changed, /cannot be read/]
  ]
  for (const [title, content, reason] of files) {
    writeFileSync(other, content)
    await t.rejects((async () => loadInto(target, await readDump(other)))(), reason, title)
  }
  await withDump(source, async ({ header, batches }) => {
    const cut = { header, async * batches () { for await (const batch of batches()) if (batch.table === 'User') yield batch } }
    await writeDump(cut, other, { onProgress: () => {}, signal: new AbortController().signal })
  })
  await t.rejects((async () => loadInto(target, await readDump(other)))(), /rows instead of/, 'rows are missing')
  t.same(await contentOf(target), empty)
})

t.test('a backup that is interrupted leaves no file', async t => {
  const folder = t.testdir()
  const interruption = new AbortController()
  await t.rejects(withDump(source, dump => writeDump(dump, join(folder, 'backup.gz'), {
    signal: interruption.signal, onProgress: () => interruption.abort(new Error('interrupted'))
  })), /interrupted/)
  t.same(readdirSync(folder), [])
  t.notOk(existsSync(join(folder, 'backup.gz.part')))
})
