import { messages, PGlite, protocol } from '@electric-sql/pglite'

type ProtocolMessages = Awaited<ReturnType<PGlite['execProtocolStream']>>

const BOM = Buffer.from([0xef, 0xbb, 0xbf])
const DATA_ROW = 'D'.charCodeAt(0)

/** PGlite with two corrections: texts keep a leading U+FEFF, and an engine that has panicked gets no further statement. */
export class Engine extends PGlite {
  #parser = new protocol.Parser()
  /**
   * Set after a fault that would end a PostgreSQL process, such as a full disk under the write-ahead log. PGlite itself would continue: the
   * next statement would wait for ever for data that was never written, and block the whole process.
   */
  panic: messages.DatabaseError | undefined

  get panicked (): boolean { return this.panic !== undefined }

  /** PGlite passes every statement to this method. */
  override async execProtocolStream (
    message: Uint8Array, { throwOnError = true, ...options }: Parameters<PGlite['execProtocolStream']>[1] = {}
  ): Promise<ProtocolMessages> {
    if (this.panicked) throw engineGone()
    const chunks: Uint8Array[] = []
    // `slice` copies the bytes, because the engine reuses their memory.
    await this.execProtocolRawStream(message, { ...options, onRawData: bytes => { chunks.push(bytes.slice()) } })
    const results: ProtocolMessages = []
    let error: messages.DatabaseError | undefined
    this.#parser.parse(withBoms(Buffer.concat(chunks)), result => {
      if (result instanceof messages.DatabaseError) error ??= result
      else results.push(result)
    })
    if (error?.severity === 'PANIC' || error?.severity === 'FATAL') this.panic = error
    if (error && throwOnError) throw error
    return results
  }

  /** Ends an engine without closing it properly. All committed data is in its files, as after a SIGKILL. */
  abandon (): void {
    this.panic ??= engineGone()
    const { FS } = this.mod as unknown as { FS: { streams: unknown[], close (stream: unknown): void } }
    for (const stream of FS.streams.filter(Boolean)) {
      try {
        FS.close(stream)
      } catch {
        // Streams that have no file, such as standard input, cannot be closed. The error is ignored.
      }
    }
  }
}

/** Returns the error of a PostgreSQL server that cannot accept statements now. */
function engineGone (): messages.DatabaseError {
  const error = new messages.DatabaseError('the embedded database has to be opened again', 0, 'error')
  return Object.assign(error, { code: '57P03', severity: 'FATAL' })
}

/** Doubles a leading U+FEFF in values, because PGlite's decoder takes the first one for a byte order mark and drops it. */
function withBoms (bytes: Buffer): Buffer {
  if (!bytes.includes(BOM)) return bytes
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + bytes.readInt32BE(at + 1)
    const message = bytes.subarray(at, end)
    parts.push(...message[0] === DATA_ROW ? rowWithBoms(message) : [message])
    at = end
  }
  return Buffer.concat(parts)
}

/** A data row consists of type, length, number of values, then each value's length (-1 for null) and bytes. */
function rowWithBoms (row: Buffer): Buffer[] {
  const head = Buffer.from(row.subarray(0, 7))
  const parts: Buffer[] = [head]
  for (let at = 7; at < row.length;) {
    const length = row.readInt32BE(at)
    const end = at + 4 + Math.max(0, length)
    const value = row.subarray(at + 4, end)
    if (value.subarray(0, BOM.length).equals(BOM)) {
      const longer = Buffer.alloc(4)
      longer.writeInt32BE(length + BOM.length)
      parts.push(longer, BOM, value)
    } else {
      parts.push(row.subarray(at, end))
    }
    at = end
  }
  head.writeInt32BE(parts.reduce((sum, part) => sum + part.length, -1), 1)
  return parts
}
