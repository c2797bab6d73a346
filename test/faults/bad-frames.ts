import { eventually } from '../eventually.ts'
import { connectRaw, frame, opcode, text } from '../websocket/raw.ts'
import { startProcesses } from './cluster.ts'
import { createReport, type Outcome } from './outcome.ts'
import type { Stage } from './scope.ts'

const MESSAGES = 20

/** Bad frames that a client may send. test/websocket checks the answer to each; here other connections must not be affected. */
const outrages: Record<string, Buffer> = {
  'invalid UTF-8': frame(opcode.text, Buffer.from([0xff, 0xfe])),
  'reserved bits': frame(opcode.text, '{}', { rsv: 4 }),
  'reserved opcode': frame(0x3, 'x'),
  unmasked: frame(opcode.text, '{}', { masked: false }),
  'continuation first': frame(opcode.continuation, 'x'),
  'long ping': frame(opcode.ping, 'x'.repeat(126)),
  'fragmented ping': frame(opcode.ping, 'x', { fin: false }),
  'close code 1006': frame(opcode.close, Buffer.from([0x03, 0xee])),
  'close with one byte': frame(opcode.close, Buffer.from([0x03])),
  'length of 2^63': frame(opcode.text, '', { declared: 2n ** 63n }),
  'length of 70 kB': frame(opcode.text, '', { declared: 70_000n }),
  'many fragments': Buffer.concat(Array.from({ length: 70 }, (_, i) => frame(i ? opcode.continuation : opcode.text, 'x', { fin: false }))),
  binary: frame(opcode.binary, 'x'),
  'broken JSON': Buffer.concat(Array.from({ length: 10 }, () => text('{"type":'))),
  'no object': text('[null, 1, "x"]'),
  deep: text('['.repeat(20_000)),
  prototypes: text('{"type":"__proto__","__proto__":{"x":1},"constructor":{"prototype":{"x":1}}}'),
  'unknown type': text({ type: 'constructor' }),
  'wrong types': text('{"type":"send_message","channel":1e400,"message":{}}'),
  unauthenticated: text({ type: 'send_message', channel: 'room', message: 'x' }),
  'a hundred at once': Buffer.concat(Array.from({ length: 100 }, () => text({ type: 'heartbeat' }))),
  'a megabyte of JSON': text({ type: 'heartbeat', padding: 'x'.repeat(1_000_000) }),
  'ping flood': Buffer.concat(Array.from({ length: 10_000 }, () => frame(opcode.ping, 'x'.repeat(125))))
}

/** G8. After each bad frame the process still runs, and another pair of connections gets 20 of 20 messages. */
export async function badFrames (stage: Stage): Promise<Outcome> {
  const report = createReport()
  const cluster = await startProcesses(stage, report, { faults: [undefined] })
  const { ledger, instances: [server] } = cluster
  const [sender, reader] = await cluster.enter(2, ['room'])
  let expected = 0
  for (const [name, bytes] of Object.entries(outrages)) {
    const raw = await connectRaw(stage, server.port, bytes)
    expected += MESSAGES
    for (let i = 0; i < MESSAGES; i++) ledger.note('room', server.port, await sender!.send('room', `${name} ${i}`))
    await eventually(() => reader!.lastOf('room') === expected, 5000).catch(() => report.problem(`after ${name} the reader is behind`))
    raw.socket.destroy()
  }
  await ledger.settle([sender!, reader!])
  report.figure('cases', Object.keys(outrages).length)
  report.equal('acked', ledger.acked, expected)
  return report.outcome()
}
