import { createReadStream, createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { pipeline as connect, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { DatabaseError, reasonOf } from '../database-error.ts'
import type { Batch, Dump } from './dump.ts'

/**
 * A backup is a gzip file of lines: the header; the name of a table as a JSON string, followed by its rows as JSON objects; and so on; at
 * the end, the number of all rows.
 */
const isHeader = TypeCompiler.Compile(Type.Object({
  parley: Type.Literal(1),
  migrations: Type.Array(Type.String()),
  tables: Type.Array(Type.Object({ name: Type.String(), columns: Type.Array(Type.String()) })),
  rows: Type.Integer({ minimum: 0 })
}))

/** Characters of a line. No row that the server writes is nearly as long. */
const MAX_LINE = 64_000_000
/** Characters of the rows that are read together. */
const BATCH_SIZE = 1_000_000

interface WriteOptions { onProgress (done: number, all: number): void, signal: AbortSignal }

/** Writes a dump into a new file that only its owner may read. The file has its name only once it is complete. */
export async function writeDump (dump: Dump, path: string, { onProgress, signal }: WriteOptions): Promise<void> {
  const part = `${path}.part`
  try {
    const file = createWriteStream(part, { mode: 0o600, flush: true })
    await pipeline(Readable.from(linesOf(dump, onProgress)), createGzip(), file, { signal })
    await rename(part, path)
  } catch (error) {
    await rm(part, { force: true })
    throw signal.aborted ? signal.reason : error
  }
}

async function * linesOf ({ header, batches }: Dump, onProgress: WriteOptions['onProgress']): AsyncGenerator<string> {
  yield `${JSON.stringify({ parley: 1, ...header })}\n`
  let current: string | undefined
  let done = 0
  for await (const { table, rows } of batches()) {
    if (table !== current) yield `${JSON.stringify(table)}\n`
    current = table
    yield `${rows.join('\n')}\n`
    done += rows.length
    onProgress(done, header.rows)
  }
  yield `${done}\n`
}

/** Opens a backup. Its rows are read while the batches are. @throws DatabaseError if the file is no backup, or is damaged. */
export async function readDump (path: string): Promise<Dump> {
  const lines = linesIn(path)
  const { value: first = '' } = await lines.next()
  const { parley, ...header } = parseHeader(first, path)
  return { header, batches: () => batchesOf(lines, path) }
}

function parseHeader (line: string, path: string) {
  try {
    const header: unknown = JSON.parse(line)
    if (isHeader.Check(header)) return header
  } catch {
    // A line that is no JSON is no header either.
  }
  throw new DatabaseError(`${path} is no backup of this version of Parley`)
}

async function * batchesOf (lines: AsyncIterable<string>, path: string): AsyncGenerator<Batch> {
  let table = ''
  let rows: string[] = []
  let size = 0
  let done = 0
  for await (const line of lines) {
    const isRow = line.startsWith('{')
    if (isRow) {
      rows.push(line)
      size += line.length
      done++
    }
    if (rows.length > 0 && (!isRow || size > BATCH_SIZE)) {
      yield { table, rows }
      rows = []
      size = 0
    }
    if (line === String(done)) return
    if (!isRow) table = JSON.parse(line)
  }
  throw new DatabaseError(`${path} is not complete`)
}

async function * linesIn (path: string): AsyncGenerator<string> {
  // An error of the file reaches the reader of the last stream.
  const stream = connect(createReadStream(path), createGunzip(), () => {}).setEncoding('utf8')
  let rest = ''
  try {
    for await (const chunk of stream as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop()!
      if (rest.length > MAX_LINE) throw new Error('a line is too long')
      yield * lines
    }
  } catch (error) {
    throw new DatabaseError(`${path} cannot be read: ${reasonOf(error)}`)
  }
}
