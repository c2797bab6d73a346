import { join } from 'node:path'
import ts from 'typescript'
import { root } from '../../scripts/root.ts'
import { createHost, problemsOf } from '../compiler.ts'
import { t } from '../tap.ts'

/** An application in TypeScript. Lines that must not compile say so. */
const APPLICATION = `
import { createParley, ParleyError, type Channel, type Message, type Notices } from '@parley/client'
import { manualClock } from '@parley/client/testing'

const parley = createParley({ url: 'https://example.org', token: async why => why === 'refused' ? null : 'token', clock: manualClock() })
const room: Channel = parley.channel('room', { presence: 'count' })
const messages: readonly Message[] = room.getSnapshot().messages
// @ts-expect-error: snapshots are immutable.
messages.push(messages[0]!)
export const text: string | null | undefined = messages[0]?.message
export const made = parley.request('create_channel', { name: 'room', channel_type: 'private' }).then(({ channel }) => channel.id)
// @ts-expect-error: there is no such request.
parley.request('make_channel', { name: 'room' })
// @ts-expect-error: the name is missing.
parley.request('create_channel', {})
// @ts-expect-error: there is no such type of channel.
parley.request('create_channel', { name: 'room', channel_type: 'secret' })
const page = parley.rest('GET /api/channels/:name/messages', { params: { name: 'room' }, query: { limit: 5 } })
export const seq = page.then(({ last_seq: seq }) => seq)
// @ts-expect-error: the channel is missing.
parley.rest('GET /api/channels/:name/messages')
export const me = parley.rest('GET /api/me').then(({ email }) => email)
export const queue = parley.rest('GET /api/admin/stats').then(({ queue }) => queue.oldest_ms.toFixed())
export const watched = parley.request('watch_stats', {}).then(({ instance }) => instance)
export const traced = parley.request('watch_trace', { channel: 'room' }).then(({ channel }) => channel)
parley.on('trace', ({ steps }) => steps.map(({ step, at_ms: at }) => [step, at.toFixed()]))
parley.on('stats', ({ delivery, database }) => [delivery.p99_ms?.toFixed(), database.pool?.used])
parley.on('banned_from_channel', (notice: Notices['banned_from_channel']) => notice.reason)
room.send('hello', { data: { a: [1, null] } }).catch((error: unknown) => error instanceof ParleyError && error.code === 'outbox_full')
export const direct = parley.direct('id').then(channel => channel.readers.getSnapshot()['id']?.toFixed())
// @ts-expect-error: rows of the inbox are immutable.
parley.inbox.getSnapshot().channels[0]!.unread_count = 0
export async function scope (): Promise<void> { await using own = createParley({ url: 'https://example.org' }); own.connect() }
`

const COMPONENT = `
import { useChannel, useInbox, useParley, useReadable } from '@parley/client/react'
export function Room (): string {
  const { channel, messages, unread } = useChannel('room', { history: 5 })
  const { online } = useReadable(channel.presence)
  const people: readonly string[] = online.map(({ username }) => username)
  // @ts-expect-error: there is no such option.
  useChannel('room', { pages: 5 })
  return [...people, messages.length + unread + useInbox().channels[0]!.unread_count, useReadable(useParley()).state].join()
}
`

const { Node16, ESNext } = ts.ModuleKind

t.test('[C13] applications compile against the types of the client, with every module resolution of today', async t => {
  t.same(compile(APPLICATION, { module: Node16, moduleResolution: ts.ModuleResolutionKind.Node16 }), [])
  t.same(compile(APPLICATION, { module: ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler }), [])
})

t.test('[C13] components compile against the types of the React binding', async t => {
  // The declarations of React itself take seconds to check.
  t.same(compile(COMPONENT, { module: ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler, skipLibCheck: true }), [])
})

/** Compiles a program of one file, as a strict project does, and returns what the compiler finds. */
function compile (text: string, given: ts.CompilerOptions): string[] {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022, lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts', 'lib.dom.d.ts'], types: [], strict: true,
    exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, noEmit: true, skipDefaultLibCheck: true, ...given
  }
  // The file is in this folder, from which the package is found, but not on the disk.
  const file = join(root, 'application.mts')
  const host = createHost(options)
  const { getSourceFile, fileExists, readFile } = host
  host.getSourceFile = (name, ...rest) =>
    name === file ? ts.createSourceFile(name, text, options.target!) : getSourceFile(name, ...rest)
  host.fileExists = name => name === file || fileExists(name)
  host.readFile = name => name === file ? text : readFile(name)
  return problemsOf(ts.getPreEmitDiagnostics(ts.createProgram([file], options, host)))
}
